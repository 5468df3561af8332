/** An account's management keys: made and changed by a person in the web app only, never by such a key itself. */
import { ApiError } from '../errors.ts';
import { type Store, statement } from '../store/store.ts';
import { type ApiKey, bumpKeyGeneration, type CreatedKey, createKey, decodeKey } from './api-keys.ts';

/** Undefined leaves a property as it is. */
export interface ManagementKeyChange {
  readonly name?: string | null | undefined;
  readonly isDisabled?: boolean | undefined;
}

export interface ManagementKeys {
  /** Oldest first. */
  list(accountId: number): Promise<readonly ApiKey[]>;
  create(accountId: number, name: string | null): Promise<CreatedKey>;
  /** Throws ApiError `key_not_found`. The change holds everywhere within a second. */
  change(accountId: number, prefix: string, change: ManagementKeyChange): Promise<ApiKey>;
  /** Stops the key for ever. Throws ApiError `key_not_found`. */
  remove(accountId: number, prefix: string): Promise<void>;
}

/** `now` in milliseconds since 1970. */
export function createManagementKeys(store: Store, now: () => number = Date.now): ManagementKeys {
  return {
    list: async (accountId) => await listManagementKeys(store, accountId),
    create: async (accountId, name) => await createKey(store, { accountId, kind: 'management', name }, now),
    change: async (accountId, prefix, { name, isDisabled }) => {
      const key = await findManagementKey(store, accountId, prefix);
      await update(store, key, [
        name === undefined ? key.name : name,
        (isDisabled ?? key.isDisabled) ? 1 : 0,
        null,
        now(),
      ]);
      return await findManagementKey(store, accountId, prefix);
    },
    remove: async (accountId, prefix) => {
      const key = await findManagementKey(store, accountId, prefix);
      const at = now();
      await update(store, key, [key.name, 1, at, at]);
    },
  };
}

/** Name, disabled, deleted at, updated at. */
async function update(store: Store, key: ApiKey, values: readonly unknown[]): Promise<void> {
  const changed = await store.commit([
    statement(
      `update api_keys set name = ?, is_disabled = ?, deleted_at = ?, updated_at = ?
       where id = ? and deleted_at is null`,
      [...values, key.id],
      { rows: 1, otherwise: 'key_not_found' },
    ),
    bumpKeyGeneration,
  ]);
  if (!changed.isCommitted) throw new ApiError('key_not_found');
}

async function listManagementKeys(store: Store, accountId: number): Promise<readonly ApiKey[]> {
  const rows = await store.db
    .selectFrom('api_keys')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('kind', '=', 'management')
    .where('deleted_at', 'is', null)
    .orderBy('id')
    .execute();
  return rows.map(decodeKey);
}

async function findManagementKey(store: Store, accountId: number, prefix: string): Promise<ApiKey> {
  const keys = await listManagementKeys(store, accountId);
  const key = keys.find((each) => each.prefix === prefix);
  if (key === undefined) throw new ApiError('key_not_found');
  return key;
}
