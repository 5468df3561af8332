/** What may be done with an account's context-cache objects. What happens to them by itself: `cache-worker.ts`. */
import type { Caller, ChatRequest } from '../chat/types.ts';
import type { ModelDirectory } from '../engines/registry.ts';
import type { TurnLimiter } from '../limits/turn-limiter.ts';
import type { Store } from '../store/store.ts';
import { moveEnd, removeCache, requireRow } from './cache-life.ts';
import type { CacheMoney } from './cache-money.ts';
import { type CacheRow, decodeCache, findRow } from './cache-rows.ts';
import { type CacheTags, createCacheTags } from './cache-tags.ts';
import type { CacheWorker } from './cache-worker.ts';
import type { CacheChange, ContextCache, Page, PageOptions, PrefixOnWire } from './context-cache.ts';
import { type CacheCreation, createCache } from './create-cache.ts';
import { cutPage } from './cut-page.ts';
import { limitCreation, type OnRateLimits } from './limit-creation.ts';
import { type CacheSavings, readSavings } from './read-savings.ts';
import { useCache } from './use-cache.ts';

export interface ContextCaches {
  readonly tags: CacheTags;
  /**
   * Counts the prefix, holds its price and has it computed in the background. Throws ApiError `invalid_request`,
   * `context_length_exceeded`, `insufficient_balance`, `key_limit_reached`, `model_unavailable`,
   * `rate_limit_reached`, `request_exceeds_rate_limit`.
   */
  create(creation: CacheCreation): Promise<ContextCache>;
  /** This and the next ones throw ApiError `cache_not_found`. */
  find(accountId: number, id: string): Promise<ContextCache>;
  /** `metadata`: only objects that carry all of it. */
  list(
    accountId: number,
    filter: PageOptions & { readonly metadata: Readonly<Record<string, string>> },
  ): Promise<Page<ContextCache>>;
  /**
   * An object that has ended begins another life when its end is moved; that one is paid for like the first, and
   * counted by the rate limits.
   */
  change(
    caller: Caller,
    id: string,
    change: CacheChange & { readonly onRateLimits?: OnRateLimits },
  ): Promise<ContextCache>;
  /** Charges the storage up to now. */
  remove(accountId: number, id: string): Promise<void>;
  /** Makes an object ready for one request. Throws ApiError `invalid_request` for one that cannot be used. */
  use(accountId: number, use: CacheUse): Promise<UsedCache>;
  savings(accountId: number): Promise<CacheSavings>;
}

export interface CacheUse {
  readonly object: { readonly id: string } | { readonly tag: string };
  /** Of the request. */
  readonly modelId: string;
  /** The object ends so long from now, and begins a new life if it has ended. */
  readonly resetTtlSeconds: number | undefined;
  /** Only looked at: nothing is extended, computed or charged. */
  readonly isDryRun: boolean;
  readonly signal: AbortSignal;
}

export interface UsedCache {
  readonly cache: ContextCache;
  /** False: its new life has just begun, and this request pays its own way. */
  readonly isHit: boolean;
}

export interface ContextCachesOptions {
  readonly store: Store;
  readonly models: ModelDirectory;
  readonly money: CacheMoney;
  readonly worker: CacheWorker;
  /** Undefined = nothing is limited. */
  readonly admitTurn?: TurnLimiter['admit'] | undefined;
  /** From the wire: throws ApiError `invalid_request`. */
  readonly decodePrefix: (prefix: PrefixOnWire) => ChatRequest;
  readonly ids: { next(): string };
  readonly now: () => number;
  /** Per account. */
  readonly cachesMax: number;
}

export function createContextCaches(options: ContextCachesOptions): ContextCaches {
  const { store, now } = options;
  const read = async (accountId: number, id: string): Promise<ContextCache> =>
    decodeCache(await requireRow(options, accountId, id), now());
  return {
    tags: createCacheTags(store, now),
    create: async (creation) => await read(creation.caller.accountId, await createCache(options, creation)),
    find: read,
    list: async (accountId, filter) => await listCaches(options, accountId, filter),
    async change(caller, id, { metadata, expiresAt, onRateLimits }) {
      const { accountId } = caller;
      const row = await requireRow(options, accountId, id);
      const beginLife = async ({ life, tokens }: CacheRow, begin: () => Promise<boolean>) => {
        const turn = { caller, inferenceId: `${id}:${life + 1}`, onState: onRateLimits };
        return await limitCreation(options, turn, async (take) => {
          await take(tokens);
          return await begin();
        });
      };
      // First, because it may be refused, and then nothing changes.
      if (expiresAt !== undefined) await moveEnd(options, row, { expiresAt, beginLife });
      if (metadata !== undefined) {
        const text = JSON.stringify(metadata);
        await store.db.updateTable('context_caches').set({ metadata: text }).where('id', '=', id).execute();
      }
      return await read(accountId, id);
    },
    async remove(accountId, id) {
      const row = await requireRow(options, accountId, id);
      await removeCache(options, row);
      options.models.find(row.model_id)?.engine.prefixes?.drop(id);
    },
    use: async (accountId, use) => await useCache(options, accountId, use),
    savings: async (accountId) => await readSavings(store, accountId),
  };
}

async function listCaches(
  { store, now }: ContextCachesOptions,
  accountId: number,
  { metadata, ...page }: Parameters<ContextCaches['list']>[1],
): Promise<Page<ContextCache>> {
  // What was sent for each may be megabytes: it is read for the page alone.
  const rows = await store.db
    .selectFrom('context_caches')
    .select(['id', 'metadata'])
    .where('account_id', '=', accountId)
    .orderBy('created_at', page.order)
    .orderBy('id', page.order)
    .execute();
  const matching = rows.filter((row) => hasAll(JSON.parse(row.metadata), metadata));
  const { items, hasMore } = cutPage(matching, ({ id }) => id, page);
  const found = await Promise.all(items.map(({ id }) => findRow(store, id, accountId)));
  return {
    items: found.flatMap((row) => (row === undefined ? [] : [decodeCache(row, now())])),
    hasMore,
  };
}

function hasAll(
  metadata: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => metadata[key] === value);
}
