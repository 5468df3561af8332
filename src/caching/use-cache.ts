/** An object at the head of a request. */
import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from '../errors.ts';
import { moveEnd, requireRow } from './cache-life.ts';
import { type CacheRow, decodeCache } from './cache-rows.ts';
import { createCacheTags } from './cache-tags.ts';
import { type ContextCache, wholeSecond } from './context-cache.ts';
import type { CacheUse, ContextCachesOptions, UsedCache } from './context-caches.ts';

/** A request may wait so long for an object that is just being computed. */
const readyMsMax = 30_000;
const readyPollMs = 100;

/** Throws as `ContextCaches.use`. */
export async function useCache(
  options: ContextCachesOptions,
  accountId: number,
  use: CacheUse,
): Promise<UsedCache> {
  const { now, worker } = options;
  const row = await waitUntilReady(options, await findUsed(options, accountId, use), use.signal);
  const cache = decodeCache(row, now());
  if (cache.modelId !== use.modelId) throw otherModel(cache);
  if (cache.status === 'error') throw unusable(cache, `could not be made: ${cache.error?.message ?? ''}`);
  const { resetTtlSeconds, isDryRun } = use;
  const expiresAt = resetTtlSeconds === undefined ? undefined : wholeSecond(now()) + resetTtlSeconds * 1_000;
  if (cache.status === 'inactive' && (expiresAt === undefined || isDryRun)) throw expired(cache);
  if (isDryRun) return { cache, isHit: true };
  // The request that revives an object is itself counted by the rate limits.
  const beginLife = async (_row: CacheRow, begin: () => Promise<boolean>) => await begin();
  if (expiresAt !== undefined) await moveEnd(options, row, { expiresAt, beginLife });
  if (cache.status === 'inactive') {
    const revived = await requireRow(options, accountId, row.id);
    return { cache: decodeCache(revived, now()), isHit: false };
  }
  const engine = options.models.find(row.model_id)?.engine;
  if (engine !== undefined) await worker.ensureComputed(row, engine, use.signal);
  return { cache: { ...cache, expiresAt: expiresAt ?? cache.expiresAt }, isHit: true };
}

async function findUsed(
  options: ContextCachesOptions,
  accountId: number,
  { object }: CacheUse,
): Promise<CacheRow> {
  const { store, now } = options;
  const id =
    'id' in object ? object.id : (await createCacheTags(store, now).find(accountId, object.tag)).cacheId;
  return await requireRow(options, accountId, id);
}

/** An object that is just being computed is worth a wait: the request would compute the same. */
async function waitUntilReady(
  options: ContextCachesOptions,
  first: CacheRow,
  signal: AbortSignal,
): Promise<CacheRow> {
  const { now, worker } = options;
  const waitsUntil = now() + readyMsMax;
  let row = first;
  while (row.status === 'pending') {
    const leftMs = waitsUntil - now();
    if (leftMs <= 0) {
      throw new ApiError('engine_overloaded', {
        message: `The context cache ${row.id} is still being computed, please try again later`,
        retryAfterSeconds: 5,
      });
    }
    await waitFor(worker.settled(row.id), leftMs, signal);
    row = await requireRow(options, first.account_id, first.id);
    if (row.status === 'pending') await delay(readyPollMs);
    if (signal.aborted) throw new ApiError('client_closed_request');
  }
  return row;
}

/** A long beginning computes for minutes; neither the client's leave nor the bound waits for that. Never rejects. */
async function waitFor(work: Promise<void>, forMs: number, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const isEnough = delay(forMs, undefined, { signal: AbortSignal.any([signal, done.signal]) });
  // Cut short by either signal: the caller asks which.
  await Promise.race([work, isEnough.catch(() => undefined)]);
  done.abort();
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
