/**
 * From a secret to a `Caller`, through a cache. A cached key is trusted only while the generation row was read
 * less than a second ago and has not moved: a key disabled by another process stops within that second, and when
 * the database cannot be read, nobody gets in.
 */
import { LRUCache } from 'lru-cache';
import type { Caller } from '../chat/types.ts';
import { ApiError } from '../errors.ts';
import { type Store, statement } from '../store/store.ts';
import type { KeyKind } from '../store/tables.ts';
import { decodeScopes } from './api-keys.ts';
import { hashKeySecret, isKeySecret } from './key-secret.ts';

/** What the key is shown for: asking a model, managing keys, or something that either kind may do. */
export type KeyPurpose = 'inference' | 'management' | 'any';

export interface KeyDirectory {
  /**
   * Throws ApiError `invalid_api_key` (missing, malformed, unknown, disabled, expired), `scope_denied` (the wrong
   * kind of key for this purpose), `rate_limit_reached` (too many unknown keys were tried from this network).
   */
  authenticate(secret: string | undefined, purpose?: KeyPurpose, network?: string): Promise<Caller>;
}

export interface KeyDirectoryOptions {
  /** Milliseconds since 1970, for expiry. */
  readonly now?: () => number;
  /** A clock that never jumps, in milliseconds, for freshness. */
  readonly monotonicNow?: () => number;
  /** Keys kept in memory. */
  readonly cachedKeysMax?: number;
  /** The rate limits of a key and its account: asked when a key is read, and again when a generation has passed. */
  readonly readRateLimits?: (owner: {
    readonly accountId: number;
    readonly keyId: number;
  }) => Promise<Caller['rateLimits']>;
  /** Told when "last used" could not be written, which fails no request. */
  readonly onWriteError?: (error: unknown) => void;
}

/** A generation read so long ago is read again beside the request … */
const refreshAfterMs = 250;
/** … and so long ago before the request is answered. Below the promised second, to leave time for the read. */
const staleAfterMs = 900;
/** "Last used" is written at most this often per key. */
const lastUsedPrecisionMs = 60_000;
/**
 * Unknown keys that one network may try per second: more is somebody guessing. Counted by network, so that whoever
 * guesses shuts nobody else out whose key was not read yet.
 */
const unknownKeysPerSecond = 200;
/** Networks that are remembered; a bucket that is forgotten is full again. */
const networksMax = 10_000;

interface CachedKey {
  readonly caller: Caller;
  readonly kind: KeyKind;
  readonly isUsable: boolean;
  readonly expiresAt: number | null;
  /** The generation in which the row was read; the entry is worth nothing in a later one. */
  readonly generation: number;
  lastUsedWrittenAt: number;
}

export function createKeyDirectory(store: Store, options: KeyDirectoryOptions = {}): KeyDirectory {
  const now = options.now ?? Date.now;
  const monotonicNow = options.monotonicNow ?? (() => performance.now());
  const cache = new LRUCache<string, CachedKey>({ max: options.cachedKeysMax ?? 10_000 });
  const generations = createGenerationReader(store, monotonicNow);
  const buckets = new LRUCache<string, Bucket>({ max: networksMax });

  const find = async (secretHash: string, network: string): Promise<CachedKey> => {
    const cached = cache.get(secretHash);
    const generation = generations.peek() ?? (await generations.read());
    if (cached?.generation === generation) {
      return cached;
    }
    // A key that was good a moment ago is not a guess, so it is never refused for other people's guesses.
    if (cached === undefined && buckets.get(network)?.hasRoom() === false) {
      throw new ApiError('rate_limit_reached', {
        message:
          'Too Many Requests: too many unknown API keys are being tried from your network. Try again in a second.',
        retryAfterSeconds: 1,
      });
    }
    const key = await readCachedKey(store, secretHash, {
      generation,
      readRateLimits: options.readRateLimits,
    });
    if (key === undefined) {
      takeFrom(network);
      cache.delete(secretHash);
      throw new ApiError('invalid_api_key');
    }
    cache.set(secretHash, { ...key, lastUsedWrittenAt: cached?.lastUsedWrittenAt ?? key.lastUsedWrittenAt });
    return cache.get(secretHash) ?? key;
  };

  const takeFrom = (network: string): void => {
    const bucket = buckets.get(network) ?? createBucket(unknownKeysPerSecond, monotonicNow);
    bucket.take();
    buckets.set(network, bucket);
  };

  const noteUse = (key: CachedKey): void => {
    const at = now();
    if (at - key.lastUsedWrittenAt < lastUsedPrecisionMs) {
      return;
    }
    key.lastUsedWrittenAt = at;
    store
      .commit([statement('update api_keys set last_used_at = ? where id = ?', [at, key.caller.keyId])], {
        durability: 'lazy',
      })
      .catch((error: unknown) => options.onWriteError?.(error));
  };

  return {
    authenticate: async (secret, purpose = 'inference', network = '') => {
      if (secret === undefined || !isKeySecret(secret)) {
        throw new ApiError('invalid_api_key');
      }
      const key = await find(hashKeySecret(secret), network);
      if (!key.isUsable || (key.expiresAt !== null && key.expiresAt <= now())) {
        throw new ApiError('invalid_api_key');
      }
      checkPurpose(key.kind, purpose);
      noteUse(key);
      return key.caller;
    },
  };
}

function checkPurpose(kind: KeyKind, purpose: KeyPurpose): void {
  if (purpose === 'inference' && kind === 'management') {
    throw new ApiError('scope_denied', {
      message:
        'A management key manages API keys; it cannot be used for inference or to read transactions. Use a regular API key.',
    });
  }
  if (purpose === 'management' && kind !== 'management') {
    throw new ApiError('scope_denied', {
      message:
        'Managing API keys needs a management key: make one in the dashboard, or with `perigee keys create --management`.',
    });
  }
}

async function readCachedKey(
  store: Store,
  secretHash: string,
  {
    generation,
    readRateLimits,
  }: { readonly generation: number; readonly readRateLimits: KeyDirectoryOptions['readRateLimits'] },
): Promise<CachedKey | undefined> {
  const row = await store.db
    .selectFrom('api_keys')
    .innerJoin('accounts', 'accounts.id', 'api_keys.account_id')
    .select([
      'api_keys.id',
      'account_id',
      'kind',
      'prefix',
      'scopes',
      'is_disabled',
      'expires_at',
      'last_used_at',
    ])
    .select('accounts.disabled_at as account_disabled_at')
    .where('secret_hash', '=', secretHash)
    .executeTakeFirst();
  if (row === undefined) {
    return undefined;
  }
  const rateLimits = await readRateLimits?.({ accountId: row.account_id, keyId: row.id });
  return {
    caller: Object.freeze({
      accountId: row.account_id,
      keyId: row.id,
      keyPrefix: row.prefix,
      scopes: decodeScopes(row.scopes),
      origin: row.kind === 'playground' ? 'playground' : 'api',
      ...(rateLimits !== undefined && { rateLimits }),
    }),
    kind: row.kind,
    isUsable: row.is_disabled === 0 && row.account_disabled_at === null,
    expiresAt: row.expires_at,
    generation,
    lastUsedWrittenAt: row.last_used_at ?? 0,
  };
}

interface GenerationReader {
  /** What is known, when it is fresh enough; without a detour through the event loop. */
  peek(): number | undefined;
  read(): Promise<number>;
}

/** The generation, never older than `staleAfterMs`. No timer: it is read as often as keys are shown, at most. */
function createGenerationReader(store: Store, monotonicNow: () => number): GenerationReader {
  let known: { readonly generation: number; readonly readAt: number } | undefined;
  let reading: Promise<number> | undefined;

  const read = async (): Promise<number> => {
    // The age counts from before the read, so a change that commits while it runs is never missed.
    const readAt = monotonicNow();
    const row = await store.db
      .selectFrom('store_marks')
      .select('value')
      .where('name', '=', 'key-generation')
      .executeTakeFirstOrThrow();
    known = { generation: row.value, readAt };
    return row.value;
  };

  const readOnce = async (): Promise<number> => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return await reading;
  };

  return {
    peek: () => {
      const ageMs = known === undefined ? staleAfterMs : monotonicNow() - known.readAt;
      if (ageMs >= staleAfterMs) {
        return undefined;
      }
      if (ageMs >= refreshAfterMs) {
        // A failure here is not lost: the value grows stale, and then the read is awaited and throws.
        readOnce().catch(() => undefined);
      }
      return known?.generation;
    },
    read: readOnce,
  };
}

interface Bucket {
  hasRoom(): boolean;
  take(): void;
}

/** A token bucket that holds one second's worth. */
function createBucket(perSecond: number, monotonicNow: () => number): Bucket {
  let tokens = perSecond;
  let filledAt = monotonicNow();
  return {
    hasRoom: () => {
      const at = monotonicNow();
      tokens = Math.min(perSecond, tokens + ((at - filledAt) * perSecond) / 1_000);
      filledAt = at;
      return tokens >= 1;
    },
    take: () => {
      // Never below empty: keys that are looked up at the same moment all find room, and must not shut it for long.
      tokens = Math.max(0, tokens - 1);
    },
  };
}
