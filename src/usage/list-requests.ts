/**
 * Pages of a key's log by offset, as the contract has them. An offset makes a database walk over every row before it,
 * so what can be is skipped by the quarter-hour sums: a page costs the same wherever it lies.
 */
import type { Selectable } from 'kysely';
import type { Store } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import { readUsageSums, type TimeSpan } from './read-usage-sums.ts';
import { rollupBucketMs } from './record-usage.ts';

export interface LogFilter extends TimeSpan {
  /** Canonical ids; empty = all. */
  readonly modelIds: readonly string[];
  /** Empty = all. */
  readonly statuses: readonly LoggedRequest['status'][];
  readonly limit: number;
  readonly offset: number;
}

export interface LoggedRequest {
  readonly inferenceId: string;
  readonly clientRequestId: string | null;
  readonly status: 'succeeded' | 'failed';
  readonly origin: 'api' | 'playground';
  readonly modelId: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costNanoUsd: bigint;
  readonly createdAt: number;
}

/** Below it, walking is quicker than asking the sums. */
const walkedOffsetMax = 500;

/** Newest first. */
export async function listRequests(
  store: Store,
  keyId: number,
  filter: LogFilter,
): Promise<{ readonly requests: readonly LoggedRequest[]; readonly totalCount: number }> {
  const [rows, totalCount] = await Promise.all([
    readPage(store, keyId, filter),
    countRequests(store, keyId, filter),
  ]);
  return { requests: rows.map(decodeRequest), totalCount };
}

async function readPage(store: Store, keyId: number, filter: LogFilter) {
  const { to, offset } = filter.offset > walkedOffsetMax ? await skip(store, keyId, filter) : filter;
  return await selectRequests(store, keyId, { ...filter, to })
    .selectAll()
    .orderBy('created_at', 'desc')
    // Requests of one millisecond need an order too, or pages would overlap.
    .orderBy('inference_id', 'desc')
    .limit(filter.limit)
    .offset(offset)
    .execute();
}

function selectRequests(store: Store, keyId: number, filter: LogFilter) {
  let matching = store.db
    .selectFrom('usage_requests')
    .where('key_id', '=', keyId)
    .where('created_at', '>=', filter.from)
    .where('created_at', '<', filter.to);
  if (filter.modelIds.length > 0) matching = matching.where('model_id', 'in', filter.modelIds);
  if (filter.statuses.length > 0) matching = matching.where('status', 'in', filter.statuses);
  return matching;
}

/** How many of the counted requests match. */
function countMatching(
  { statuses }: LogFilter,
  counts: { readonly succeeded: number; readonly failed: number },
): number {
  if (statuses.length === 0) return counts.succeeded + counts.failed;
  return [...new Set(statuses)].reduce((sum, status) => sum + counts[status], 0);
}

async function countRequests(store: Store, keyId: number, filter: LogFilter): Promise<number> {
  const { modelIds } = filter;
  const sums = await readUsageSums(store, { keyId }, [filter]);
  return sums
    .filter(({ modelId }) => modelIds.length === 0 || modelIds.includes(modelId))
    .map(({ succeededCount, failedCount }) =>
      countMatching(filter, { succeeded: succeededCount, failed: failedCount }),
    )
    .reduce((sum, count) => sum + count, 0);
}

/** Where the page begins: before which moment, and how many rows before that moment are still to be walked over. */
async function skip(
  store: Store,
  keyId: number,
  filter: LogFilter,
): Promise<{ readonly to: number; readonly offset: number }> {
  const firstBucket = Math.ceil(filter.from / rollupBucketMs) * rollupBucketMs;
  const afterLastBucket = Math.max(firstBucket, Math.floor(filter.to / rollupBucketMs) * rollupBucketMs);
  const newest = { ...filter, from: Math.max(filter.from, Math.min(filter.to, afterLastBucket)) };
  let remaining = filter.offset - (await countRequests(store, keyId, newest));
  if (remaining < 0) return filter;
  for (const bucket of await readBuckets(store, keyId, {
    ...filter,
    from: firstBucket,
    to: afterLastBucket,
  })) {
    const count = countMatching(filter, bucket);
    if (remaining < count) return { to: bucket.startedAt + rollupBucketMs, offset: remaining };
    remaining -= count;
  }
  return { to: Math.min(filter.to, firstBucket), offset: remaining };
}

/** At most 8,832 in the longest window. Newest first. */
async function readBuckets(store: Store, keyId: number, filter: LogFilter) {
  let query = store.db
    .selectFrom('usage_rollups')
    .where('key_id', '=', keyId)
    .where('bucket_started_at', '>=', filter.from)
    .where('bucket_started_at', '<', filter.to);
  if (filter.modelIds.length > 0) query = query.where('model_id', 'in', filter.modelIds);
  const rows = await query
    .groupBy('bucket_started_at')
    .orderBy('bucket_started_at', 'desc')
    .select((select) => [
      'bucket_started_at',
      select.fn.sum<number>('requests_succeeded').as('succeeded'),
      select.fn.sum<number>('requests_failed').as('failed'),
    ])
    .execute();
  return rows.map(({ bucket_started_at: startedAt, succeeded, failed }) => ({
    startedAt,
    succeeded,
    failed,
  }));
}

function decodeRequest(row: Selectable<Tables['usage_requests']>): LoggedRequest {
  return {
    inferenceId: row.inference_id,
    clientRequestId: row.client_request_id,
    status: row.status,
    origin: row.origin,
    modelId: row.model_id,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    costNanoUsd: row.cost_nano_usd,
    createdAt: row.created_at,
  };
}
