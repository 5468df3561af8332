/** The hidden key of each account that its sessions ask with: usage and limits have a key to belong to. */
import { LRUCache } from 'lru-cache';
import type { Caller } from '../chat/types.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { createKey } from './api-keys.ts';

export interface PlaygroundKeys {
  /** The account's key, made when it is first asked for. Whether the account may ask at all is not judged here. */
  callerOf(accountId: number): Promise<Caller>;
}

const remembered = 10_000;

export interface PlaygroundKeysOptions {
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** As the key directory's: the rate limits of a key and its account, as they are now. */
  readonly readRateLimits?: (owner: {
    readonly accountId: number;
    readonly keyId: number;
  }) => Promise<Caller['rateLimits']>;
}

export function createPlaygroundKeys(store: Store, options: PlaygroundKeysOptions = {}): PlaygroundKeys {
  const { now = Date.now, readRateLimits } = options;
  // Such a key never changes once it is there, so what is remembered stays true.
  const callers = new LRUCache<number, Caller>({ max: remembered });
  return {
    callerOf: async (accountId) => {
      const known = callers.get(accountId);
      const caller = known ?? (await findKey(store, accountId)) ?? (await makeKey(store, accountId, now));
      if (known === undefined) callers.set(accountId, caller);
      const rateLimits = await readRateLimits?.(caller);
      return rateLimits === undefined ? caller : { ...caller, rateLimits };
    },
  };
}

async function findKey(store: Store, accountId: number): Promise<Caller | undefined> {
  const row = await store.db
    .selectFrom('api_keys')
    .select(['id', 'prefix'])
    .where('account_id', '=', accountId)
    .where('kind', '=', 'playground')
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return Object.freeze({
    accountId,
    keyId: row.id,
    keyPrefix: row.prefix,
    scopes: null,
    origin: 'playground',
  });
}

/** Its secret is thrown away: the key is asked with by way of a session only. */
async function makeKey(store: Store, accountId: number, now: () => number): Promise<Caller> {
  try {
    await createKey(store, { accountId, kind: 'playground', name: 'playground' }, now);
  } catch (thrown) {
    // Another request of the same account was quicker; the unique index let one of them through.
    if (!(thrown instanceof StoreError && thrown.kind === 'unique')) throw thrown;
  }
  const made = await findKey(store, accountId);
  if (made === undefined) throw new Error(`account ${accountId} has no playground key`);
  return made;
}
