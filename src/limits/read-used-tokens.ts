import { sql } from 'kysely';
import type { Store } from '../store/store.ts';

/**
 * Tokens that the usage log counts for a key or an account since the start of a day (UTC, in milliseconds): prompts
 * without what was cached, and outputs. What a day's counter begins with when nobody has counted yet.
 */
export async function readUsedTokens(
  store: Pick<Store, 'db'>,
  owner: { readonly keyId: number } | { readonly accountId: number },
  since: number,
): Promise<number> {
  const rollups = store.db
    .selectFrom('usage_rollups')
    .select(sql<number>`coalesce(sum(input_tokens - cached_tokens + output_tokens), 0)`.as('used'))
    .where('bucket_started_at', '>=', since);
  const owned =
    'keyId' in owner
      ? rollups.where('key_id', '=', owner.keyId)
      : rollups.where('key_id', 'in', (keys) =>
          keys.selectFrom('api_keys').select('id').where('account_id', '=', owner.accountId),
        );
  const { used } = await owned.executeTakeFirstOrThrow();
  return used;
}
