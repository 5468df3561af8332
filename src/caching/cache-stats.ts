/** What caching spares this process, counted over its turns; `/metrics` reads it. */
import type { Usage } from '../chat/types.ts';

export interface CacheTotals {
  readonly turns: number;
  /** Turns of which a part of the prompt was not computed again. */
  readonly hits: number;
  readonly promptTokens: number;
  /** Prompt tokens that were not computed again: the tokens saved. */
  readonly cachedTokens: number;
  /** The part of them that context-cache objects cover. */
  readonly objectCachedTokens: number;
  readonly objectHits: number;
}

export interface CacheStats {
  record(usage: Usage): void;
  /** Since the process started; all of them only grow. */
  totals(): CacheTotals;
}

export function createCacheStats(): CacheStats {
  let totals: CacheTotals = {
    turns: 0,
    hits: 0,
    promptTokens: 0,
    cachedTokens: 0,
    objectCachedTokens: 0,
    objectHits: 0,
  };
  return {
    record(usage) {
      totals = {
        turns: totals.turns + 1,
        hits: totals.hits + (usage.cachedTokens > 0 ? 1 : 0),
        promptTokens: totals.promptTokens + usage.promptTokens,
        cachedTokens: totals.cachedTokens + usage.cachedTokens,
        objectCachedTokens: totals.objectCachedTokens + (usage.objectCachedTokens ?? 0),
        objectHits: totals.objectHits + (usage.fees?.cacheHits ?? 0),
      };
    },
    totals: () => totals,
  };
}
