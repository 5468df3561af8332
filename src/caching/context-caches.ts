/** What may be done with an account's context-cache objects. What happens to them by itself: `cache-worker.ts`. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ChatRequest } from '../chat/types.ts';
import type { ModelDirectory, ServedModel } from '../engines/registry.ts';
import { ApiError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { statement } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { type CacheMoney, creationHoldId } from './cache-money.ts';
import {
  type CacheRow,
  decodeCache,
  deleteStored,
  deleteUnstored,
  findRow,
  insertRow,
  revive,
} from './cache-rows.ts';
import { type CacheTags, cacheNotFound, createCacheTags } from './cache-tags.ts';
import type { CacheWorker } from './cache-worker.ts';
import { countPrefix } from './compute-prefix.ts';
import {
  type CacheChange,
  type CacheOwner,
  type ContextCache,
  lifeSecondsDefault,
  type NewCache,
  type Page,
  type PageOptions,
  type PrefixOnWire,
  wholeSecond,
} from './context-cache.ts';
import { cutPage } from './cut-page.ts';
import { type CacheSavings, readSavings } from './read-savings.ts';

export interface ContextCaches {
  readonly tags: CacheTags;
  /**
   * Counts the prefix, holds its price and has it computed in the background. Throws ApiError `invalid_request`,
   * `context_length_exceeded`, `insufficient_balance`, `key_limit_reached`, `model_unavailable`.
   */
  create(owner: CacheOwner, cache: NewCache, signal: AbortSignal): Promise<ContextCache>;
  /** This and the next ones throw ApiError `cache_not_found`. */
  find(accountId: number, id: string): Promise<ContextCache>;
  /** `metadata`: only objects that carry all of it. */
  list(
    accountId: number,
    filter: PageOptions & { readonly metadata: Readonly<Record<string, string>> },
  ): Promise<Page<ContextCache>>;
  /** An object that has ended begins another life when its end is moved; that one is paid for like the first. */
  change(accountId: number, id: string, change: CacheChange): Promise<ContextCache>;
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
  /** From the wire: throws ApiError `invalid_request`. */
  readonly decodePrefix: (prefix: PrefixOnWire) => ChatRequest;
  readonly ids: { next(): string };
  readonly now: () => number;
  /** Per account. */
  readonly cachesMax: number;
}

/** A request may wait so long for an object that is just being computed. */
const readyMsMax = 30_000;
const readyPollMs = 100;
const removalsMax = 3;

export function createContextCaches(options: ContextCachesOptions): ContextCaches {
  const { store, now, money, worker } = options;

  const require = async (accountId: number, id: string): Promise<CacheRow> => {
    const row = await findRow(store, id, accountId);
    if (row === undefined) throw cacheNotFound(id);
    return row;
  };
  const decode = (row: CacheRow): ContextCache => decodeCache(row, now());
  const engineOf = (row: CacheRow) => options.models.find(row.model_id)?.engine;

  const beginAnotherLife = async (row: CacheRow, expiresAt: number): Promise<void> => {
    // What the last one cost is settled first: the next one has another clock.
    if (row.status === 'ready') await money.settleStorage(row);
    const life = row.life + 1;
    const object = { ...decode(row), life, expiresAt };
    const next = { expiresAt, holdId: creationHoldId(row.id, life), now: now() };
    try {
      await money.reserveCreation(object, [revive(row, next)]);
    } catch (thrown) {
      // Somebody else extended it in the same moment.
      if (!(thrown instanceof StoreError && thrown.kind === 'unique')) throw thrown;
    }
    void worker.nudge();
  };
  const extend = async (row: CacheRow, expiresAt: number): Promise<void> => {
    const storedTo = (row.stored_at ?? 0) + row.held_seconds * 1_000;
    const { numUpdatedRows } = await store.db
      .updateTable('context_caches')
      .set({
        expires_at: expiresAt,
        ...(row.status === 'ready' && { due_at: Math.min(expiresAt, storedTo) }),
      })
      .where('id', '=', row.id)
      .where('life', '=', row.life)
      .where('status', '=', row.status)
      .where('held_seconds', '=', row.held_seconds)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) await moveEnd(await require(row.account_id, row.id), expiresAt);
  };
  const moveEnd = async (row: CacheRow, expiresAt: number): Promise<void> => {
    const { status } = decode(row);
    if (status === 'ready' || status === 'pending') await extend(row, expiresAt);
    else await beginAnotherLife(row, expiresAt);
  };

  return {
    tags: createCacheTags(store, now),
    async create(owner, cache, signal) {
      await refuseTooMany(options, owner.accountId);
      const model = requireModel(options.models, cache.modelId);
      const id = `cache-${options.ids.next()}`;
      const context = { accountId: owner.accountId, inferenceId: id, signal };
      const tokens = await countPrefix(model.engine, options.decodePrefix(cache), context);
      const createdAt = now();
      const expiresAt = cache.expiresAt ?? wholeSecond(createdAt) + lifeSecondsDefault * 1_000;
      const object = { ...owner, id, modelId: model.id, life: 1, tokens, expiresAt };
      await money.reserveCreation(object, [
        insertRow({
          id,
          account_id: owner.accountId,
          key_id: owner.keyId,
          model_id: model.id,
          messages: JSON.stringify(cache.messages),
          tools: cache.tools === undefined ? null : JSON.stringify(cache.tools),
          name: cache.name ?? null,
          description: cache.description ?? null,
          metadata: JSON.stringify(cache.metadata),
          tokens,
          backing: model.engine.prefixes === undefined ? 'resent' : 'pinned',
          created_at: createdAt,
          expires_at: expiresAt,
          hold_id: creationHoldId(id, 1),
        }),
        ...cache.tags.map((tag) => pointTag(owner.accountId, { tag, cacheId: id, at: createdAt })),
      ]);
      void worker.nudge();
      return decode(await require(owner.accountId, id));
    },
    find: async (accountId, id) => decode(await require(accountId, id)),
    async list(accountId, { metadata, ...page }) {
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
      return { items: found.flatMap((row) => (row === undefined ? [] : [decode(row)])), hasMore };
    },
    async change(accountId, id, { metadata, expiresAt }) {
      const row = await require(accountId, id);
      if (metadata !== undefined) {
        const text = JSON.stringify(metadata);
        await store.db.updateTable('context_caches').set({ metadata: text }).where('id', '=', id).execute();
      }
      if (expiresAt !== undefined) await moveEnd(row, expiresAt);
      return decode(await require(accountId, id));
    },
    async remove(accountId, id) {
      for (let attempt = 0; attempt < removalsMax; attempt++) {
        const row = await require(accountId, id);
        if (!(await removeRow(options, row))) continue;
        engineOf(row)?.prefixes?.drop(id);
        return;
      }
      throw new ApiError('internal_error', {
        internal: `the cache ${id} changes faster than it can be removed`,
      });
    },
    async use(accountId, use) {
      const row = await waitUntilReady(options, await findUsed(options, accountId, use), use.signal);
      const cache = decode(row);
      if (cache.modelId !== use.modelId) throw otherModel(cache);
      if (cache.status === 'error') throw unusable(cache, `could not be made: ${cache.error?.message ?? ''}`);
      const expiresAt =
        use.resetTtlSeconds === undefined ? undefined : wholeSecond(now()) + use.resetTtlSeconds * 1_000;
      if (cache.status === 'inactive') {
        if (expiresAt === undefined || use.isDryRun) throw expired(cache);
        await beginAnotherLife(row, expiresAt);
        return { cache: decode(await require(accountId, row.id)), isHit: false };
      }
      if (use.isDryRun) return { cache, isHit: true };
      if (expiresAt !== undefined) await extend(row, expiresAt);
      const engine = engineOf(row);
      if (engine !== undefined) await worker.ensureComputed(row, engine, use.signal);
      return { cache: { ...cache, expiresAt: expiresAt ?? cache.expiresAt }, isHit: true };
    },
    savings: async (accountId) => await readSavings(store, accountId),
  };
}

async function refuseTooMany({ store, cachesMax }: ContextCachesOptions, accountId: number): Promise<void> {
  const { count } = await store.db
    .selectFrom('context_caches')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
  if (Number(count) < cachesMax) return;
  throw new ApiError('invalid_request', {
    message: `Invalid request: the account has ${cachesMax} context caches, the most that it may have; delete some.`,
  });
}

function requireModel(models: ModelDirectory, id: string): ServedModel {
  const model = models.find(id);
  if (model !== undefined) return model;
  throw new ApiError('model_not_found', {
    message: `Not found the model ${id} or Permission denied`,
    param: 'model',
  });
}

function pointTag(accountId: number, { tag, cacheId, at }: { tag: string; cacheId: string; at: number }) {
  return statement<never>(
    `insert into context_cache_tags (account_id, tag, cache_id, created_at) values (?, ?, ?, ?)
     on conflict (account_id, tag) do update set cache_id = excluded.cache_id, created_at = excluded.created_at`,
    [accountId, tag, cacheId, at],
  );
}

/** False: the row has changed meanwhile. */
async function removeRow({ store, money }: ContextCachesOptions, row: CacheRow): Promise<boolean> {
  if (row.status === 'ready') return (await money.endStorage(row, deleteStored(row))) === 'over';
  if (row.status === 'pending' && (await money.releaseCreation(row, deleteUnstored(row)))) return true;
  const now = await findRow(store, row.id);
  if (now !== undefined && (now.status !== row.status || now.life !== row.life)) return false;
  await store.commit(deleteUnstored(row));
  return true;
}

async function findUsed(
  { store, now }: ContextCachesOptions,
  accountId: number,
  { object }: CacheUse,
): Promise<CacheRow> {
  const id =
    'id' in object ? object.id : (await createCacheTags(store, now).find(accountId, object.tag)).cacheId;
  const row = await findRow(store, id, accountId);
  if (row === undefined) throw cacheNotFound(id);
  return row;
}

/** An object that is just being computed is worth a wait: the request would compute the same. */
async function waitUntilReady(
  { store, now, worker }: ContextCachesOptions,
  first: CacheRow,
  signal: AbortSignal,
): Promise<CacheRow> {
  const waitsUntil = now() + readyMsMax;
  let row = first;
  while (row.status === 'pending') {
    if (now() > waitsUntil) {
      throw new ApiError('engine_overloaded', {
        message: `The context cache ${row.id} is still being computed, please try again later`,
        retryAfterSeconds: 5,
      });
    }
    await worker.settled(row.id);
    row = (await findRow(store, row.id)) ?? row;
    if (row.status === 'pending') await delay(readyPollMs);
    if (signal.aborted) throw new ApiError('client_closed_request');
  }
  return row;
}

function hasAll(
  metadata: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => metadata[key] === value);
}

function otherModel(cache: ContextCache): ApiError {
  return new ApiError('invalid_request', {
    message: `Invalid request: the context cache ${cache.id} was made for the model ${cache.modelId}`,
    param: 'model',
  });
}

function unusable(cache: ContextCache, reason: string): ApiError {
  return new ApiError('invalid_request', {
    message: `Invalid request: the context cache ${cache.id} ${reason}`,
  });
}

function expired(cache: ContextCache): ApiError {
  const at = new Date(cache.expiresAt).toISOString();
  return unusable(
    cache,
    `is inactive: it expired at ${at}. Give it another time to live with PUT /v1/caching/${cache.id}, or with reset_ttl.`,
  );
}
