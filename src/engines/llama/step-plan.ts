/**
 * What one decode computes: a token of every running choice first, then parts of prompts. While anybody decodes,
 * prompts get only as many tokens as keep the step short, so that no stream stalls. Pure arithmetic.
 */

/** Time that prompt tokens add to a step while somebody decodes, whose own token comes on top: silence is at most 150 ms. */
const prefillMsMax = 90;
const prefillTokensMin = 4;
/** Time of a step while nobody decodes, where it is enough for two tiles: what a newcomer waits before it is looked at. */
const idleMsMax = 300;
const prefillTokensInitial = 16;
const idleTokensInitial = 128;
/** A lone prompt uses whole batches; several share smaller ones, so that a short one is not stuck behind a long one. */
const sharedPrefillTokensMax = 256;
/**
 * From this many tokens on llama.cpp computes attention on a CPU in tiles (GGML_FA_TILE_Q), for about half the time
 * per token: a step of 64 tokens can be shorter than one of 40.
 */
const tileTokens = 64;
/** Of prompts alone. Threads cut tiles too, and a cut one costs as much as a whole one: of one tile nearly half is wasted. */
const idleTilesMin = 2;
/** Weight of the newest measurement. */
const smoothing = 0.25;

export interface PrefillPace {
  /** Prompt tokens for the next step. */
  budget(load: StepLoad): number;
  /** What a step took. */
  record(prefillTokens: number, decodingCount: number, elapsedMs: number): void;
}

export interface StepLoad {
  readonly decodingCount: number;
  readonly prefillingCount: number;
  /** What is left to compute of all prompts. */
  readonly remainingTokens: number;
  readonly batchTokensMax: number;
}

export function createPrefillPace(): PrefillPace {
  const msPerToken: { tiled: number | undefined; small: number | undefined } = {
    tiled: undefined,
    small: undefined,
  };
  let decodeMs = 0;
  const blend = (old: number | undefined, value: number) =>
    old === undefined || old === 0 ? value : old + smoothing * (value - old);

  const affordBesideDecoding = (decodingCount: number): number => {
    const tile = tileTokens - decodingCount;
    const tiled = prefillMsMax / (msPerToken.tiled ?? Number.POSITIVE_INFINITY);
    if (tiled >= tile) return Math.floor(tiled);
    if (msPerToken.small === undefined) return prefillTokensInitial;
    return Math.min(Math.max(prefillTokensMin, Math.floor(prefillMsMax / msPerToken.small)), tile - 1);
  };
  const affordAlone = (remainingTokens: number): number => {
    if (msPerToken.tiled === undefined) return idleTokensInitial;
    const tiles = Math.max(idleTilesMin, Math.round(idleMsMax / msPerToken.tiled / tileTokens));
    const afforded = tiles * tileTokens;
    // A rest that is no tile of its own costs less within this step than as the next one.
    const rest = remainingTokens - afforded;
    return rest > 0 && rest < tileTokens ? remainingTokens : afforded;
  };

  return {
    budget({ decodingCount, prefillingCount, remainingTokens, batchTokensMax }) {
      const room = batchTokensMax - decodingCount;
      const limit = Math.min(room, decodingCount + prefillingCount > 1 ? sharedPrefillTokensMax : room);
      const afforded = decodingCount > 0 ? affordBesideDecoding(decodingCount) : affordAlone(remainingTokens);
      return Math.min(limit, afforded);
    },
    record(prefillTokens, decodingCount, elapsedMs) {
      if (prefillTokens === 0) {
        decodeMs = blend(decodeMs, elapsedMs);
        return;
      }
      const forPrefill = Math.max(0, elapsedMs - (decodingCount > 0 ? decodeMs : 0));
      const kind = prefillTokens + decodingCount >= tileTokens ? 'tiled' : 'small';
      msPerToken[kind] = blend(msPerToken[kind], forPrefill / prefillTokens);
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
