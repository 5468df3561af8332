/** An account's management keys: made and changed by a person in the web app only, never by such a key itself. */
import { ApiError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { type ApiKey, type CreatedKey, createKey, decodeKey } from './api-keys.ts';
import { changeKey, type KeyChange, removeKey } from './key-administration.ts';

/** A management key has neither scopes nor a limit. */
export type ManagementKeyChange = Pick<KeyChange, 'name' | 'isDisabled'>;

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
    change: async (accountId, prefix, change) => {
      await changeKey(store, await findManagementKey(store, accountId, prefix), { change, at: now() });
      return await findManagementKey(store, accountId, prefix);
    },
    remove: async (accountId, prefix) => {
      await removeKey(store, await findManagementKey(store, accountId, prefix), now());
    },
  };
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
