import type { Store } from '../store/store.ts';

/** What caching has saved an account, over all its turns. */
export interface CacheSavings {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  /** Uses of context-cache objects. */
  readonly cacheHits: number;
}

/** From the usage sums, which every replica writes. */
export async function readSavings(store: Store, accountId: number): Promise<CacheSavings> {
  const row = await store.db
    .selectFrom('usage_rollups')
    .select(({ fn }) => [
      fn.sum<number | null>('input_tokens').as('prompt_tokens'),
      fn.sum<number | null>('cached_tokens').as('cached_tokens'),
      fn.sum<number | null>('cache_hits').as('cache_hits'),
    ])
    // By way of the keys, because the index begins with them.
    .where('key_id', 'in', store.db.selectFrom('api_keys').select('id').where('account_id', '=', accountId))
    .executeTakeFirst();
  return {
    promptTokens: Number(row?.prompt_tokens ?? 0),
    cachedTokens: Number(row?.cached_tokens ?? 0),
    cacheHits: Number(row?.cache_hits ?? 0),
  };
}
