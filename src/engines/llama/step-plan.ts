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
 * Splits a budget over prompts in turn: each gets an equal share, a prompt that needs less leaves the rest to the
 * others. `start` moves on from step to step, so that the odd token does not always go to the first.
 * @returns tokens per prompt, in the order of `remaining`.
 */
export function sharePrefill(remaining: readonly number[], budget: number, start: number): number[] {
  const shares = remaining.map(() => 0);
  const order = remaining.map((_, i) => (i + start) % remaining.length).sort(byRemaining(remaining));
  let left = budget;
  let waiting = order.length;
  for (const index of order) {
    const share = Math.min(remaining[index] ?? 0, Math.ceil(left / waiting));
    shares[index] = share;
    left -= share;
    waiting -= 1;
  }
  return shares;
}

/** Short prompts first, so that what they do not need is known when the long ones are served. */
function byRemaining(remaining: readonly number[]) {
  return (a: number, b: number) => (remaining[a] ?? 0) - (remaining[b] ?? 0);
}
