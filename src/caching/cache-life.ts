/** How the end of an object is moved, and how it comes sooner. */
import { ApiError } from '../errors.ts';
import { StoreError } from '../store/store-error.ts';
import { creationHoldId } from './cache-money.ts';
import { type CacheRow, decodeCache, deleteStored, deleteUnstored, findRow, revive } from './cache-rows.ts';
import { cacheNotFound } from './cache-tags.ts';
import type { ContextCachesOptions } from './context-caches.ts';

/** What changes between a look and a write is looked at again; more often than this nothing does. */
const attemptsMax = 3;

/** Throws ApiError `cache_not_found`. */
export async function requireRow(
  { store }: ContextCachesOptions,
  accountId: number,
  id: string,
): Promise<CacheRow> {
  const row = await findRow(store, id, accountId);
  if (row === undefined) throw cacheNotFound(id);
  return row;
}

/**
 * Of an object that lives, its end; another life begins for one that has ended. `beginLife` is asked before that, and
 * throws what forbids it. Throws ApiError `cache_not_found`, and as `CacheMoney.reserveCreation`.
 */
export async function moveEnd(
  options: ContextCachesOptions,
  first: CacheRow,
  { expiresAt, beginLife }: { readonly expiresAt: number; readonly beginLife: BeginLife },
): Promise<void> {
  await whileChanging(options, first, async (row) => {
    const { status } = decodeCache(row, options.now());
    if (status === 'ready' || status === 'pending') return await extend(options, row, expiresAt);
    return await beginLife(row, async () => await beginAnotherLife(options, row, expiresAt));
  });
}

/** Around the beginning of another life, which resolves to false when the row has changed. */
export type BeginLife = (row: CacheRow, begin: () => Promise<boolean>) => Promise<boolean>;

/** Charges the storage up to now. Throws ApiError `cache_not_found`. */
export async function removeCache(options: ContextCachesOptions, first: CacheRow): Promise<void> {
  await whileChanging(options, first, async (row) => await removeRow(options, row));
}

/** Tries again with the row as it has become. Throws ApiError `cache_not_found` when it is gone. */
async function whileChanging(
  options: ContextCachesOptions,
  first: CacheRow,
  change: (row: CacheRow) => Promise<boolean>,
): Promise<void> {
  let row = first;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (await change(row)) return;
    row = await requireRow(options, first.account_id, first.id);
  }
  throw new ApiError('internal_error', {
    internal: `the cache ${first.id} changes faster than it can be changed`,
  });
}

/** False, as below: the row has changed meanwhile. */
async function extend({ store }: ContextCachesOptions, row: CacheRow, expiresAt: number): Promise<boolean> {
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
  return numUpdatedRows === 1n;
}

async function beginAnotherLife(
  { money, worker, now }: ContextCachesOptions,
  row: CacheRow,
  expiresAt: number,
): Promise<boolean> {
  // What the last one cost is settled first: the next one has another clock.
  if (row.status === 'ready') await money.settleStorage(row);
  const life = row.life + 1;
  const object = { ...decodeCache(row, now()), life, expiresAt };
  const next = { expiresAt, holdId: creationHoldId(row.id, life), now: now() };
  try {
    return await money.reserveCreation(object, [revive(row, next)]);
  } catch (thrown) {
    // Somebody else has begun the same life in the same moment.
    if (thrown instanceof StoreError && thrown.kind === 'unique') return false;
    throw thrown;
  } finally {
    void worker.nudge();
  }
}

async function removeRow({ money, store }: ContextCachesOptions, row: CacheRow): Promise<boolean> {
  if (row.status === 'ready') return (await money.endStorage(row, deleteStored(row))) === 'over';
  if (row.status === 'pending' && (await money.releaseCreation(row, deleteUnstored(row)))) return true;
  return (await store.commit(deleteUnstored(row))).isCommitted;
}
