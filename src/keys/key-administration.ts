/**
 * What an account does with its own keys through a management key. Management keys themselves are made and changed
 * in the dashboard only, so that a stolen one cannot replace the others.
 */
import { findWindowStarts } from '../billing/limit-windows.ts';
import { ApiError } from '../errors.ts';
import { type Statement, type Store, statement } from '../store/store.ts';
import type { LimitRetention } from '../store/tables.ts';
import { sumSpendByKey } from '../usage/sum-spend.ts';
import { type ApiKey, bumpKeyGeneration, createKey, decodeKey, type KeyLimit, listKeys } from './api-keys.ts';

/** A key and what it has spent in this calendar month (UTC). */
export interface KeyReport extends ApiKey {
  readonly monthSpentNanoUsd: bigint;
  /** Spent in the limit's running period; 0n without a limit. */
  readonly limitSpentNanoUsd: bigint;
}

export interface KeyDraft {
  readonly name: string | null;
  readonly scopes: readonly string[] | null;
  readonly limit: KeyLimit | null;
}

/** Undefined leaves a property as it is. */
export interface KeyChange {
  readonly name?: string | null | undefined;
  readonly isDisabled?: boolean | undefined;
  readonly scopes?: readonly string[] | null | undefined;
  /** Null = no limit; a part that is undefined stays as it is. */
  readonly limit?: Partial<KeyLimit> | null | undefined;
}

export interface KeyAdministration {
  /** The account's regular keys, oldest first. */
  list(accountId: number): Promise<readonly KeyReport[]>;
  /** First 8 characters of every key the account ever had, by the key's id; hidden and deleted ones too. */
  prefixes(accountId: number): Promise<ReadonlyMap<number, string>>;
  create(accountId: number, draft: KeyDraft): Promise<{ readonly secret: string; readonly key: KeyReport }>;
  /** Throws ApiError `key_not_found`, `scope_denied` (a management key), `invalid_request` (half a limit). */
  change(accountId: number, prefix: string, change: KeyChange): Promise<KeyReport>;
  /** Stops the key for ever; its usage and charges stay. Throws as `change` does. */
  remove(accountId: number, prefix: string): Promise<void>;
  /**
   * The key that calls; for a management key, the regular key of its account that was used last (made last, when
   * none was used), or itself when there is none.
   */
  describe(caller: { readonly accountId: number; readonly keyId: number }): Promise<KeyReport>;
}

/** `now` in milliseconds since 1970. */
export function createKeyAdministration(store: Store, now: () => number = Date.now): KeyAdministration {
  return {
    list: async (accountId) => {
      const keys = await listKeys(store, { accountId });
      return await addSpend(store, keys.filter(isRegular), now());
    },
    prefixes: async (accountId) => {
      const rows = await store.db
        .selectFrom('api_keys')
        .select(['id', 'prefix'])
        .where('account_id', '=', accountId)
        .execute();
      return new Map(rows.map(({ id, prefix }) => [id, prefix]));
    },
    create: async (accountId, draft) => {
      const { secret, key } = await createKey(store, { accountId, ...draft }, now);
      return { secret, key: { ...key, monthSpentNanoUsd: 0n, limitSpentNanoUsd: 0n } };
    },
    change: async (accountId, prefix, change) => {
      await changeKey(store, await findOwnKey(store, accountId, prefix), { change, at: now() });
      return await reportKey(store, await findOwnKey(store, accountId, prefix), now());
    },
    remove: async (accountId, prefix) => {
      await removeKey(store, await findOwnKey(store, accountId, prefix), now());
    },
    describe: async (caller) => await reportKey(store, await readCallersKey(store, caller), now()),
  };
}

const isRegular = ({ kind }: ApiKey): boolean => kind === 'regular';

async function addSpend(store: Store, keys: readonly ApiKey[], at: number): Promise<readonly KeyReport[]> {
  const [first] = keys;
  if (first === undefined) return [];
  const spent = await sumSpendByKey(store, first.accountId, findWindowStarts(at).month);
  return keys.map((key) => ({
    ...key,
    monthSpentNanoUsd: spent.get(key.id) ?? 0n,
    limitSpentNanoUsd: limitSpent(key, at),
  }));
}

/** A window of an earlier period counts as nothing; the first charge of the new one starts it. */
function limitSpent({ limit, limitWindow }: ApiKey, at: number): bigint {
  if (limit === null || limitWindow.startedAt < periodStart(limit.retention, at)) return 0n;
  return limitWindow.spentNanoUsd;
}

async function reportKey(store: Store, key: ApiKey, at: number): Promise<KeyReport> {
  const [report] = await addSpend(store, [key], at);
  return report ?? { ...key, monthSpentNanoUsd: 0n, limitSpentNanoUsd: 0n };
}

async function findOwnKey(store: Store, accountId: number, prefix: string): Promise<ApiKey> {
  const row = await store.db
    .selectFrom('api_keys')
    .selectAll()
    .where('prefix', '=', prefix)
    .where('account_id', '=', accountId)
    .where('kind', '!=', 'playground')
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  if (row === undefined) throw new ApiError('key_not_found');
  if (row.kind === 'management') {
    throw new ApiError('scope_denied', {
      message: `The API key ${prefix} is a management key; those are changed in the dashboard only.`,
    });
  }
  return decodeKey(row);
}

async function readCallersKey(
  store: Store,
  caller: { readonly accountId: number; readonly keyId: number },
): Promise<ApiKey> {
  const own = await store.db
    .selectFrom('api_keys')
    .selectAll()
    .where('id', '=', caller.keyId)
    .executeTakeFirstOrThrow();
  // Management keys and the web app's hidden key answer for their account.
  if (own.kind === 'regular') return decodeKey(own);
  const latest = await store.db
    .selectFrom('api_keys')
    .selectAll()
    .where('account_id', '=', caller.accountId)
    .where('kind', '=', 'regular')
    .where('deleted_at', 'is', null)
    // A key that was never used is older than every used one.
    .orderBy((order) => order.fn.coalesce('last_used_at', order.lit(0)), 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return decodeKey(latest ?? own);
}

/** Throws ApiError `key_not_found` (deleted meanwhile), `invalid_request` (half a limit). */
export async function changeKey(
  store: Store,
  key: ApiKey,
  { change, at }: { readonly change: KeyChange; readonly at: number },
): Promise<void> {
  await commitChange(store, key, changeStatements(key, change, at));
}

/** Stops the key for ever. Throws ApiError `key_not_found` when it was deleted meanwhile. */
export async function removeKey(store: Store, key: ApiKey, at: number): Promise<void> {
  await commitChange(store, key, [
    touchKey(key, at),
    statement('update api_keys set is_disabled = 1, deleted_at = ? where id = ?', [at, key.id]),
  ]);
}

type ChangeRefusal = 'key_not_found' | 'threshold_missing';

async function commitChange(
  store: Store,
  key: ApiKey,
  statements: readonly Statement<ChangeRefusal>[],
): Promise<void> {
  const changed = await store.commit([...statements, bumpKeyGeneration]);
  if (changed.isCommitted) return;
  if (changed.reason === 'key_not_found') {
    throw new ApiError('key_not_found', { internal: `${key.prefix} was deleted by another request` });
  }
  throw new ApiError('invalid_request', {
    message: 'Invalid request: limit.threshold: is required, because the key has no limit yet',
    param: 'limit.threshold',
  });
}

/** First in each group: it locks the row, so that what the next statements read cannot change meanwhile. */
function touchKey(key: ApiKey, at: number): Statement<ChangeRefusal> {
  return statement('update api_keys set updated_at = ? where id = ? and deleted_at is null', [at, key.id], {
    rows: 1,
    otherwise: 'key_not_found',
  });
}

function changeStatements(key: ApiKey, change: KeyChange, at: number): readonly Statement<ChangeRefusal>[] {
  const statements: Statement<ChangeRefusal>[] = [touchKey(key, at)];
  if (change.name !== undefined) {
    statements.push(statement('update api_keys set name = ? where id = ?', [change.name, key.id]));
  }
  if (change.isDisabled !== undefined) {
    const flag = change.isDisabled ? 1 : 0;
    statements.push(statement('update api_keys set is_disabled = ? where id = ?', [flag, key.id]));
  }
  if (change.scopes !== undefined) {
    const text = change.scopes === null ? null : JSON.stringify(change.scopes);
    statements.push(statement('update api_keys set scopes = ? where id = ?', [text, key.id]));
  }
  if (change.limit === null) statements.push(removeLimit(key));
  else if (change.limit !== undefined) statements.push(...limitStatements(key, change.limit, at));
  return statements;
}

function removeLimit(key: ApiKey): Statement<never> {
  return statement(
    'update api_keys set limit_retention = null, limit_threshold_nano_usd = null where id = ?',
    [key.id],
  );
}

/**
 * What is left out is taken from the row inside the statements, not from `key`: another change may have been written
 * since that was read.
 */
function limitStatements(
  key: ApiKey,
  { retention, thresholdNanoUsd }: Partial<KeyLimit>,
  at: number,
): readonly Statement<ChangeRefusal>[] {
  const startedAt = periodStart(retention ?? 'no_reset', at);
  return [
    // Another period has begun already: what was spent in it counts. A first limit without one counts for ever.
    statement(
      `update api_keys set window_started_at = ?, window_spent_nano_usd =
         (select cast(coalesce(sum(cost_nano_usd), 0) as bigint) from usage_rollups
          where key_id = ? and bucket_started_at >= ?)
       where id = ? and limit_retention is distinct from coalesce(?, limit_retention, 'no_reset')`,
      [startedAt, key.id, startedAt, key.id, retention ?? null],
    ),
    statement(
      `update api_keys set limit_retention = coalesce(?, limit_retention, 'no_reset'),
         limit_threshold_nano_usd = coalesce(?, limit_threshold_nano_usd)
       where id = ? and coalesce(?, limit_threshold_nano_usd) is not null`,
      [retention ?? null, thresholdNanoUsd ?? null, key.id, thresholdNanoUsd ?? null],
      { rows: 1, otherwise: 'threshold_missing' },
    ),
  ];
}

function periodStart(retention: LimitRetention, at: number): number {
  return retention === 'no_reset' ? 0 : findWindowStarts(at)[retention];
}
