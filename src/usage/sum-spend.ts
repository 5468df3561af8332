import type { Store } from '../store/store.ts';

/**
 * What each key of an account has spent on turns that began at or after `since` (milliseconds, a multiple of the
 * sums' quarter of an hour), in nano-dollars. A key that spent nothing is not in the map.
 */
export async function sumSpendByKey(
  store: Store,
  accountId: number,
  since: number,
): Promise<ReadonlyMap<number, bigint>> {
  const rows = await store.db
    .selectFrom('usage_rollups')
    .innerJoin('api_keys', 'api_keys.id', 'usage_rollups.key_id')
    .where('api_keys.account_id', '=', accountId)
    .where('bucket_started_at', '>=', since)
    .groupBy('key_id')
    .select((select) => ['key_id', select.fn.sum<bigint>('cost_nano_usd').as('spent_nano_usd')])
    .execute();
  return new Map(rows.map((row) => [row.key_id, row.spent_nano_usd]));
}
