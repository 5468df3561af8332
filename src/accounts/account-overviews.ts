/** Accounts as an administrator's list shows them: who, how much money, how many keys. */
import { type ExpressionBuilder, sql } from 'kysely';
import { findWindowStarts } from '../billing/limit-windows.ts';
import type { Store } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';

export type AccountState = 'active' | 'disabled' | 'awaits_approval';

export interface AccountOverview {
  readonly id: number;
  readonly email: string;
  readonly isEmailVerified: boolean;
  readonly name: string;
  readonly isAdmin: boolean;
  readonly state: AccountState;
  readonly createdAt: number;
  readonly balanceNanoUsd: bigint;
  readonly heldNanoUsd: bigint;
  /** Charged in this calendar month (UTC). */
  readonly spentMonthNanoUsd: bigint;
  readonly spentTotalNanoUsd: bigint;
  /** Without deleted and hidden keys. */
  readonly keyCount: number;
  /** Of any key, the hidden one too; right to the minute. */
  readonly lastUsedAt: number | null;
}

export interface AccountQuery {
  /** A part of the address or the name, or the whole number. */
  readonly search?: string | undefined;
  readonly state?: AccountState | undefined;
  readonly accountId?: number | undefined;
  /** The whole address, lower case. */
  readonly email?: string | undefined;
  readonly limit: number;
  /** Accounts before this number. */
  readonly beforeId?: number | undefined;
}

export interface AccountPage {
  /** Newest first. */
  readonly accounts: readonly AccountOverview[];
  /** `beforeId` of the next page; null on the last. */
  readonly nextBeforeId: number | null;
}

export async function readAccounts(store: Store, query: AccountQuery, at: number): Promise<AccountPage> {
  // One more than asked for tells whether there is another page.
  const rows = await selectAccounts(store, { ...query, limit: query.limit + 1 });
  const page = rows.slice(0, query.limit);
  const ids = page.map(({ id }) => id);
  const [spent, keys] = await Promise.all([readSpend(store, ids, at), readKeys(store, ids)]);
  return {
    accounts: page.map((row) => ({
      id: row.id,
      email: row.email,
      isEmailVerified: row.email_verified === true || row.email_verified === 1,
      name: row.name,
      isAdmin: row.is_admin === 1,
      state: stateOf(row),
      createdAt: row.created_at,
      balanceNanoUsd: row.balance_nano_usd,
      heldNanoUsd: row.held_nano_usd,
      spentMonthNanoUsd: spent.get(row.id)?.month_nano_usd ?? 0n,
      spentTotalNanoUsd: spent.get(row.id)?.total_nano_usd ?? 0n,
      keyCount: keys.get(row.id)?.key_count ?? 0,
      lastUsedAt: keys.get(row.id)?.last_used_at ?? null,
    })),
    nextBeforeId: rows.length > query.limit ? (ids.at(-1) ?? null) : null,
  };
}

function stateOf(row: {
  readonly awaits_approval: number;
  readonly disabled_at: number | null;
}): AccountState {
  if (row.awaits_approval === 1) return 'awaits_approval';
  return row.disabled_at === null ? 'active' : 'disabled';
}

async function selectAccounts(store: Store, query: AccountQuery) {
  const { search, state, accountId, email, limit, beforeId } = query;
  let select = store.db
    .selectFrom('accounts')
    .innerJoin('auth_users', 'auth_users.id', 'accounts.owner_user_id')
    .innerJoin('balances', 'balances.account_id', 'accounts.id')
    .select([
      'accounts.id',
      'accounts.is_admin',
      'accounts.disabled_at',
      'accounts.awaits_approval',
      'accounts.created_at',
      'auth_users.email',
      'auth_users.email_verified',
      'auth_users.name',
      'balance_nano_usd',
      'held_nano_usd',
    ]);
  if (accountId !== undefined) select = select.where('accounts.id', '=', accountId);
  if (email !== undefined) select = select.where('auth_users.email', '=', email);
  if (beforeId !== undefined) select = select.where('accounts.id', '<', beforeId);
  if (state === 'awaits_approval') select = select.where('awaits_approval', '=', 1);
  if (state === 'active') select = select.where('disabled_at', 'is', null);
  if (state === 'disabled') {
    select = select.where('disabled_at', 'is not', null).where('awaits_approval', '=', 0);
  }
  if (search !== undefined && search !== '') select = select.where((where) => matches(where, search));
  return await select.orderBy('accounts.id', 'desc').limit(limit).execute();
}

function matches(where: ExpressionBuilder<Tables, 'accounts' | 'auth_users'>, search: string) {
  // The person typed text, not a pattern.
  const pattern = `%${search.toLowerCase().replace(/[\\%_]/g, (character) => `\\${character}`)}%`;
  const conditions = [
    sql<boolean>`auth_users.email like ${pattern} escape '\\'`,
    sql<boolean>`lower(auth_users.name) like ${pattern} escape '\\'`,
  ];
  return where.or(
    /^\d{1,9}$/.test(search) ? [...conditions, where('accounts.id', '=', Number(search))] : conditions,
  );
}

async function readSpend(store: Store, accountIds: readonly number[], at: number) {
  if (accountIds.length === 0) return new Map<number, { total_nano_usd: bigint; month_nano_usd: bigint }>();
  const { month } = findWindowStarts(at);
  const rows = await store.db
    .selectFrom('usage_rollups')
    .innerJoin('api_keys', 'api_keys.id', 'usage_rollups.key_id')
    .select((select) => [
      'api_keys.account_id',
      select.fn.sum<bigint>('cost_nano_usd').as('total_nano_usd'),
      sql<bigint>`sum(case when bucket_started_at >= ${month} then cost_nano_usd else 0 end)`.as(
        'month_nano_usd',
      ),
    ])
    // By way of the keys, because the index begins with them.
    .where('api_keys.account_id', 'in', accountIds)
    .groupBy('api_keys.account_id')
    .execute();
  return new Map(rows.map((row) => [row.account_id, row]));
}

async function readKeys(store: Store, accountIds: readonly number[]) {
  if (accountIds.length === 0) return new Map<number, { key_count: number; last_used_at: number | null }>();
  const rows = await store.db
    .selectFrom('api_keys')
    .select((select) => [
      'account_id',
      sql<number>`sum(case when deleted_at is null and kind <> 'playground' then 1 else 0 end)`.as(
        'key_count',
      ),
      select.fn.max('last_used_at').as('last_used_at'),
    ])
    .where('account_id', 'in', accountIds)
    .groupBy('account_id')
    .execute();
  return new Map(rows.map((row) => [row.account_id, row]));
}
