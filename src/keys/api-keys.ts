/** API keys as rows: create, list, disable. Who may call what with them is `key-directory.ts`. */
import type { Selectable } from 'kysely';
import type { AccountRef } from '../billing/ledger.ts';
import { ApiError } from '../errors.ts';
import { type Statement, type Store, statement } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import type { KeyKind, LimitRetention, Tables } from '../store/tables.ts';
import { drawKeySecret, hashKeySecret, isKeySecret, keyPrefixOf } from './key-secret.ts';

/** At most so much may be charged per period (UTC: day, week from Monday, month) or for ever. */
export interface KeyLimit {
  readonly retention: LimitRetention;
  readonly thresholdNanoUsd: bigint;
}

export interface ApiKey {
  readonly id: number;
  readonly accountId: number;
  readonly kind: KeyKind;
  readonly prefix: string;
  readonly name: string | null;
  /** Null = everything. */
  readonly scopes: readonly string[] | null;
  readonly limit: KeyLimit | null;
  /** What the limit has counted: spent since `startedAt` (milliseconds), the start of one of its periods. */
  readonly limitWindow: { readonly startedAt: number; readonly spentNanoUsd: bigint };
  readonly isDisabled: boolean;
  /** Milliseconds, or null. `lastUsedAt` is right to the minute. */
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface NewKey {
  readonly accountId: number;
  /** Default `regular`. A management key manages keys and cannot ask a model; a regular key the reverse. */
  readonly kind?: KeyKind;
  readonly name?: string | null;
  readonly scopes?: readonly string[] | null;
  readonly limit?: KeyLimit | null;
  readonly expiresAt?: number | null;
  /** A secret chosen by the operator (at least 32 of `A-Za-z0-9._~-`) instead of a drawn one. */
  readonly secret?: string;
}

/** The secret leaves here once; only its hash is kept. */
export interface CreatedKey {
  readonly secret: string;
  readonly key: ApiKey;
}

type Clock = () => number;

const drawsMax = 5;

/** Throws ApiError `invalid_request` when the account does not exist or a chosen secret cannot be used. */
export async function createKey(store: Store, newKey: NewKey, now: Clock = Date.now): Promise<CreatedKey> {
  for (let draw = 1; ; draw += 1) {
    const secret = newKey.secret ?? drawKeySecret();
    try {
      const inserted = await store.commit([
        insertKey({ ...newKey, secret, account: { id: newKey.accountId }, createdAt: now() }),
      ]);
      if (!inserted.isCommitted) {
        throw new ApiError('invalid_request', { message: `There is no account ${newKey.accountId}.` });
      }
      return { secret, key: await readKey(store, keyPrefixOf(secret)) };
    } catch (thrown) {
      if (!(thrown instanceof StoreError && thrown.kind === 'unique')) {
        throw thrown;
      }
      if (newKey.secret !== undefined) {
        throw prefixTaken(newKey.secret, thrown);
      }
      if (draw >= drawsMax) {
        throw thrown;
      }
    }
  }
}

/** The statement behind `createKey`, for a group that creates the account as well. Checks a chosen secret. */
export function insertKey(
  newKey: Omit<NewKey, 'accountId'> & {
    readonly account: AccountRef;
    readonly secret: string;
    readonly createdAt: number;
  },
): Statement<'account_not_found'> {
  if (!isKeySecret(newKey.secret)) {
    throw new ApiError('invalid_request', {
      message:
        'An API key must have 32 to 200 characters of A-Z, a-z, 0-9, dot, underscore, tilde and hyphen.',
    });
  }
  const [column, value] =
    'id' in newKey.account ? ['id', newKey.account.id] : ['owner_user_id', newKey.account.ownerUserId];
  return statement(
    `insert into api_keys (account_id, kind, prefix, secret_hash, name, scopes, limit_retention,
       limit_threshold_nano_usd, is_disabled, expires_at, created_at, updated_at)
     select id, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ? from accounts where ${column} = ?`,
    [
      newKey.kind ?? 'regular',
      keyPrefixOf(newKey.secret),
      hashKeySecret(newKey.secret),
      newKey.name ?? null,
      newKey.scopes === undefined || newKey.scopes === null ? null : JSON.stringify(newKey.scopes),
      newKey.limit?.retention ?? null,
      newKey.limit?.thresholdNanoUsd ?? null,
      newKey.expiresAt ?? null,
      newKey.createdAt,
      newKey.createdAt,
      value,
    ],
    { rows: 1, otherwise: 'account_not_found' },
  );
}

/** A chosen secret whose first 8 characters another key has. */
export function prefixTaken(secret: string, cause: unknown): ApiError {
  return new ApiError('invalid_request', {
    message: `Another API key begins with the same 8 characters (${keyPrefixOf(secret)}); choose a different one.`,
    cause,
  });
}

/** Oldest first; all accounts when none is named. Deleted keys and the playground's hidden ones are left out. */
export async function listKeys(
  store: Store,
  filter: { readonly accountId?: number } = {},
): Promise<ApiKey[]> {
  let query = store.db
    .selectFrom('api_keys')
    .selectAll()
    .where('kind', '!=', 'playground')
    .where('deleted_at', 'is', null)
    .orderBy('id');
  if (filter.accountId !== undefined) {
    query = query.where('account_id', '=', filter.accountId);
  }
  return (await query.execute()).map(decodeKey);
}

/** Stops a key in every process within a second. Throws ApiError `invalid_request` when there is no such key. */
export async function disableKey(store: Store, prefix: string, now: Clock = Date.now): Promise<ApiKey> {
  return await setDisabled(store, prefix, { isDisabled: true, now });
}

/** Lets a disabled key work again, within a second. Throws as `disableKey` does. */
export async function enableKey(store: Store, prefix: string, now: Clock = Date.now): Promise<ApiKey> {
  return await setDisabled(store, prefix, { isDisabled: false, now });
}

async function setDisabled(
  store: Store,
  prefix: string,
  change: { readonly isDisabled: boolean; readonly now: Clock },
): Promise<ApiKey> {
  const changed = await store.commit([
    statement(
      'update api_keys set is_disabled = ?, updated_at = ? where prefix = ? and deleted_at is null',
      [change.isDisabled ? 1 : 0, change.now(), prefix],
      { rows: 1, otherwise: 'key_not_found' },
    ),
    bumpKeyGeneration,
  ]);
  if (!changed.isCommitted) {
    throw keyNotFound(prefix);
  }
  return await readKey(store, prefix);
}

/** Belongs into every group that changes what a cached key may do. */
export const bumpKeyGeneration = statement(
  "update store_marks set value = value + 1 where name = 'key-generation'",
  [],
);

async function readKey(store: Store, prefix: string): Promise<ApiKey> {
  const row = await store.db
    .selectFrom('api_keys')
    .selectAll()
    .where('prefix', '=', prefix)
    .executeTakeFirst();
  if (row === undefined) {
    throw keyNotFound(prefix);
  }
  return decodeKey(row);
}

function keyNotFound(prefix: string): ApiError {
  return new ApiError('invalid_request', { message: `There is no API key with the prefix ${prefix}.` });
}

/** A row as the rest of the code sees it. */
export function decodeKey(row: Selectable<Tables['api_keys']>): ApiKey {
  const { limit_retention: retention, limit_threshold_nano_usd: thresholdNanoUsd } = row;
  return {
    id: row.id,
    accountId: row.account_id,
    kind: row.kind,
    prefix: row.prefix,
    name: row.name,
    scopes: decodeScopes(row.scopes),
    limit: retention === null || thresholdNanoUsd === null ? null : { retention, thresholdNanoUsd },
    limitWindow: { startedAt: row.window_started_at, spentNanoUsd: row.window_spent_nano_usd },
    isDisabled: row.is_disabled === 1,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** Reads the JSON list of a key's scopes; null = everything. Throws on anything else: never open by accident. */
export function decodeScopes(text: string | null): readonly string[] | null {
  if (text === null) {
    return null;
  }
  const scopes: unknown = JSON.parse(text);
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === 'string')) {
    throw new TypeError('The scopes of a key are no list of strings.');
  }
  return scopes;
}
