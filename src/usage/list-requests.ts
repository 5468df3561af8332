/**
 * Pages of a key's log by offset, as the contract has them. An offset makes a database walk over every row before it,
 * so what can be is skipped by the quarter-hour sums: a page costs the same wherever it lies.
 */
import { type RawBuilder, type Selectable, sql } from 'kysely';
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
  const countSince = async (from: number): Promise<number> =>
    await countRequests(store, keyId, { ...filter, from: Math.max(filter.from, Math.min(filter.to, from)) });
  const offset = filter.offset - (await countSince(afterLastBucket));
  if (offset < 0) return filter;
  const buckets = { ...filter, from: firstBucket, to: afterLastBucket, offset };
  return (
    (await findBucket(store, keyId, buckets)) ?? {
      to: Math.min(filter.to, firstBucket),
      offset: filter.offset - (await countSince(firstBucket)),
    }
  );
}

/**
 * The quarter of an hour in which the row at this offset lies, and the row's offset in it; undefined when there are
 * fewer rows. Found by the database: there are up to 8,832 of them.
 */
async function findBucket(
  store: Store,
  keyId: number,
  filter: LogFilter,
): Promise<{ readonly to: number; readonly offset: number } | undefined> {
  let rollups = store.db
    .selectFrom('usage_rollups')
    .where('key_id', '=', keyId)
    .where('bucket_started_at', '>=', filter.from)
    .where('bucket_started_at', '<', filter.to);
  if (filter.modelIds.length > 0) rollups = rollups.where('model_id', 'in', filter.modelIds);
  const buckets = rollups
    .groupBy('bucket_started_at')
    .select(['bucket_started_at', sql<number>`sum(${sumMatching(filter)})`.as('matching')]);
  const counted = store.db
    .selectFrom(buckets.as('buckets'))
    .select([
      'bucket_started_at',
      'matching',
      sql<number>`sum(matching) over (order by bucket_started_at desc)`.as('upto'),
    ]);
  const row = await store.db
    .selectFrom(counted.as('counted'))
    .select(['bucket_started_at', sql<number>`upto - matching`.as('skipped')])
    .where('upto', '>', filter.offset)
    .orderBy('bucket_started_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && { to: row.bucket_started_at + rollupBucketMs, offset: filter.offset - row.skipped };
}

/** `countMatching` as SQL. */
function sumMatching({ statuses }: LogFilter): RawBuilder<number> {
  const [only, ...others] = new Set(statuses);
  return only === undefined || others.length > 0
    ? sql`requests_succeeded + requests_failed`
    : sql.ref(`requests_${only}`);
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
