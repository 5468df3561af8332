/**
 * What one decode computes: a token of every running choice first, then parts of prompts. While anybody decodes,
 * prompts get only as many tokens as keep the step short, so that no stream stalls. Pure arithmetic.
 */

/** Time that prompt tokens may add to a step while somebody decodes. */
const prefillMsMax = 60;
const prefillTokensMin = 8;
/** Time of a step while nobody decodes: what a newcomer waits at most before it is looked at. */
const idleMsMax = 300;
const idleTokensMin = 64;
const prefillTokensInitial = 32;
const idleTokensInitial = 128;
/** A lone prompt uses whole batches; several share smaller ones, so that a short one is not stuck behind a long one. */
const sharedPrefillTokensMax = 256;
/** Weight of the newest measurement. */
const smoothing = 0.25;

export interface PrefillPace {
  /** Prompt tokens for the next step. */
  budget(decodingCount: number, prefillingCount: number, batchTokensMax: number): number;
  /** What a step took; `decodeMs` is a step's time without prompt tokens. */
  record(prefillTokens: number, decodingCount: number, elapsedMs: number): void;
}

export function createPrefillPace(): PrefillPace {
  let msPerPrefillToken: number | undefined;
  let decodeMs = 0;
  const blend = (old: number | undefined, value: number) =>
    old === undefined || old === 0 ? value : old + smoothing * (value - old);
  return {
    budget(decodingCount, prefillingCount, batchTokensMax) {
      const room = batchTokensMax - decodingCount;
      const limit = Math.min(room, decodingCount + prefillingCount > 1 ? sharedPrefillTokensMax : room);
      const afford = (ms: number, tokensMin: number, tokensUnknown: number): number =>
        msPerPrefillToken === undefined
          ? tokensUnknown
          : Math.max(tokensMin, Math.floor(ms / msPerPrefillToken));
      const wanted =
        decodingCount === 0
          ? afford(idleMsMax, idleTokensMin, idleTokensInitial)
          : afford(prefillMsMax, prefillTokensMin, prefillTokensInitial);
      return Math.min(limit, wanted);
    },
    record(prefillTokens, decodingCount, elapsedMs) {
      if (prefillTokens === 0) {
        decodeMs = blend(decodeMs, elapsedMs);
      } else {
        const forPrefill = Math.max(0, elapsedMs - (decodingCount > 0 ? decodeMs : 0));
        msPerPrefillToken = blend(msPerPrefillToken, forPrefill / prefillTokens);
      }
    },
  };
}

/**
 * Splits a budget over prompts, given oldest first. Half goes to the oldest, which so never waits for ever; the
 * rest to the shortest ones, which soon are out of the way. Equal shares would finish all prompts late together.
 * @returns tokens per prompt, in the order of `remaining`.
 */
export function sharePrefill(remaining: readonly number[], budget: number): number[] {
  const oldest = Math.min(remaining[0] ?? 0, Math.ceil(budget / 2));
  const shares = remaining.map((_, index) => (index === 0 ? oldest : 0));
  const shortestFirst = [...remaining.entries()].sort(([, a], [, b]) => a - b);
  let left = budget - oldest;
  for (const [index, tokens] of shortestFirst) {
    const given = shares[index] ?? 0;
    const more = Math.min(tokens - given, left);
    shares[index] = given + more;
    left -= more;
  }
  return shares;
}
