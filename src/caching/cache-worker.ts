/**
 * What happens to objects without anybody asking: they are computed, their storage is charged, they end. Rows that
 * are due are claimed, so any replica may do any of it, and what a killed process left is taken over.
 */
import type { ChatRequest } from '../chat/types.ts';
import type { Engine } from '../engines/engine.ts';
import type { ModelDirectory } from '../engines/registry.ts';
import { ApiError, toApiError } from '../errors.ts';
import { type JobReport, startJobLoop } from '../jobs/job-loop.ts';
import type { Store } from '../store/store.ts';
import { claim, listDue, postpone, renewalMs, renewClaim, voidClaims } from './cache-leases.ts';
import type { CacheMoney } from './cache-money.ts';
import { type CacheRow, decodeCache, failRow } from './cache-rows.ts';
import { computePrefix } from './compute-prefix.ts';
import type { PrefixOnWire } from './context-cache.ts';

export interface CacheWorkerOptions {
  readonly store: Store;
  readonly models: ModelDirectory;
  readonly money: CacheMoney;
  /** What an object's prompts begin with, from the wire. */
  readonly decodePrefix: (prefix: PrefixOnWire) => ChatRequest;
  readonly serverId: string;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

export interface CacheWorker {
  /** Looks at what is due, now; resolves when that is done, but for what is being computed. */
  nudge(): Promise<void>;
  /** Resolves when this process computes the object (or any) no more; at once when it does not. */
  settled(id?: string): Promise<void>;
  /** Computes anew, free of charge, what an engine has forgotten (its settings were changed, a file was lost). */
  ensureComputed(row: CacheRow, engine: Engine, signal: AbortSignal): Promise<void>;
  report(): JobReport;
  close(): Promise<void>;
}

const intervalMs = 5_000;
const computingMax = 2;
const attemptsMax = 12;
const retryMsMin = 1_000;
const retryMsMax = 30_000;
/** The rows are looked up this often for what engines keep beyond them. */
const sweepMs = 60_000;

export function startCacheWorker(options: CacheWorkerOptions): CacheWorker {
  const { store, now } = options;
  const computing = new Map<string, Promise<void>>();
  const closing = new AbortController();
  /** Objects that could not be stored are not computed again for every request, but now and then: room is made. */
  const unstored = new Set<string>();
  let areClaimsVoid = false;
  let sweptAt = 0;

  const start = (row: CacheRow): void => {
    const work = compute(options, row, closing.signal)
      .catch((thrown: unknown) => options.onError(thrown))
      .finally(() => {
        computing.delete(row.id);
        void loop.nudge();
      });
    computing.set(row.id, work);
  };
  const runRound = async (): Promise<void> => {
    if (!areClaimsVoid) await voidClaims(store);
    areClaimsVoid = true;
    for (const id of await listDue(store, now())) {
      if (closing.signal.aborted) return;
      if (computing.has(id)) continue;
      const row = await claim(store, id, { serverId: options.serverId, now: now() });
      if (row === undefined) continue;
      if (row.status === 'ready') await settle(options, row);
      else if (computing.size < computingMax) start(row);
      else await postpone(store, row, { dueAt: now(), attempts: row.attempts });
    }
    if (now() - sweptAt < sweepMs) return;
    sweptAt = now();
    unstored.clear();
    await sweepEngines(options);
  };
  const loop = startJobLoop({
    name: 'context caches',
    intervalMs,
    run: runRound,
    onError: options.onError,
  });
  void loop.nudge();

  return {
    nudge: () => loop.nudge(),
    report: () => loop.report(),
    settled: async (id) => {
      await (id === undefined ? Promise.all(computing.values()) : computing.get(id));
    },
    async ensureComputed(row, engine, signal) {
      if (engine.prefixes === undefined || engine.prefixes.has(row.id) || unstored.has(row.id)) return;
      const object = { id: row.id, request: decodeRow(options, row) };
      const context = { accountId: row.account_id, inferenceId: row.id, signal };
      const { isStored } = await computePrefix(engine, object, context);
      if (!isStored) unstored.add(row.id);
    },
    close: async () => {
      closing.abort();
      await loop.close();
      await Promise.all(computing.values());
    },
  };
}

async function settle(
  { store, money, models, now, onError }: CacheWorkerOptions,
  row: CacheRow,
): Promise<void> {
  try {
    const outcome = await money.settleStorage(row);
    if (outcome === 'over') models.find(row.model_id)?.engine.prefixes?.drop(row.id);
    if (outcome === 'changed') await postpone(store, row, { dueAt: now(), attempts: 0 });
  } catch (thrown) {
    onError(thrown);
    await postpone(store, row, { dueAt: now() + retryMsMax, attempts: row.attempts });
  }
}

async function compute(options: CacheWorkerOptions, row: CacheRow, signal: AbortSignal): Promise<void> {
  const { store, now, serverId } = options;
  const renewal = setInterval(() => {
    renewClaim(store, row.id, { serverId, now: now() }).catch(options.onError);
  }, renewalMs);
  try {
    await computeAndCharge(options, row, signal);
  } catch (thrown) {
    await giveUpOrPostpone(options, row, { error: toApiError(thrown), isClosing: signal.aborted });
  } finally {
    clearInterval(renewal);
  }
}

async function computeAndCharge(
  { models, money, decodePrefix, now }: CacheWorkerOptions,
  row: CacheRow,
  signal: AbortSignal,
): Promise<void> {
  const engine = models.find(row.model_id)?.engine;
  if (engine === undefined) {
    throw new ApiError('model_not_found', {
      message: `Not found the model ${row.model_id} or Permission denied`,
    });
  }
  if (row.expires_at <= now()) {
    throw new ApiError('invalid_request', { message: 'The context cache expired before it was computed.' });
  }
  const object = { id: row.id, request: decodeRow({ decodePrefix, now }, row) };
  const computed = await computePrefix(engine, object, {
    accountId: row.account_id,
    inferenceId: row.id,
    signal,
  });
  // What an upstream counts beside the beginning is not the owner's to pay for.
  const tokens = Math.min(computed.tokens, row.tokens);
  const outcome = await money.beginStorage(row, { tokens });
  if (outcome === 'stored') return;
  engine.prefixes?.drop(row.id);
  if (outcome === 'unpaid') throw new ApiError('insufficient_balance');
}

interface Failure {
  readonly error: ApiError;
  /** The server is being shut down: the next one goes on at once. */
  readonly isClosing: boolean;
}

async function giveUpOrPostpone(options: CacheWorkerOptions, row: CacheRow, failure: Failure): Promise<void> {
  const { store, models, money, now } = options;
  const { error, isClosing } = failure;
  if (isClosing) return await postpone(store, row, { dueAt: now(), attempts: row.attempts });
  const isLoading = models.find(row.model_id)?.engine.health().state === 'loading';
  const attempts = isLoading ? row.attempts : row.attempts + 1;
  if (error.isRetryable && attempts < attemptsMax) {
    const pauseMs = Math.min(retryMsMax, retryMsMin * 2 ** attempts);
    return await postpone(store, row, { dueAt: now() + pauseMs, attempts });
  }
  const failed = failRow(row, { type: error.type, message: error.message });
  // Without its hold (given back after days) the row is ended by itself.
  if (!(await money.releaseCreation(row, [failed]))) await store.commit([failed]);
}

function decodeRow(
  { decodePrefix, now }: Pick<CacheWorkerOptions, 'decodePrefix' | 'now'>,
  row: CacheRow,
): ChatRequest {
  return decodePrefix(decodeCache(row, now()));
}

/** Engines forget what has no object any more, such as one that was deleted while they were loading. */
async function sweepEngines({ store, models }: CacheWorkerOptions): Promise<void> {
  for (const engine of new Set(models.list().map((model) => model.engine))) {
    const names = engine.prefixes?.list() ?? [];
    if (names.length === 0) continue;
    const rows = await store.db
      .selectFrom('context_caches')
      .select('id')
      .where('id', 'in', [...names])
      .where('status', 'in', ['pending', 'ready'])
      .execute();
    const wanted = new Set(rows.map(({ id }) => id));
    for (const name of names) if (!wanted.has(name)) engine.prefixes?.drop(name);
  }
}
