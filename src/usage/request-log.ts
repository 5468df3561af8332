/** The log of an account's requests, newest first, page by page; and the whole story of one of them. */
import type { Selectable } from 'kysely';
import type { Store } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import type { TimeSpan } from './read-usage-sums.ts';
import type { UsageRecord } from './record-usage.ts';

/** Where a page ends: the last request that was shown. */
export interface LogPosition {
  readonly createdAt: number;
  readonly inferenceId: string;
}

export interface RequestLogFilter extends TimeSpan {
  /** Canonical ids; empty = all. */
  readonly modelIds: readonly string[];
  /** First characters of the keys; empty = all. */
  readonly keyPrefixes: readonly string[];
  /** Empty = all. */
  readonly statuses: readonly ('succeeded' | 'failed')[];
  readonly origins: readonly ('api' | 'playground')[];
  /** An inference id or client request id, exactly; undefined = all. */
  readonly id: string | undefined;
  readonly limit: number;
  /** Only requests before this one; undefined = from the newest. */
  readonly before: LogPosition | undefined;
}

/** One request, with the key that asked in place of the rows that it belongs to. */
export interface LogEntry
  extends Omit<UsageRecord, 'accountId' | 'keyId' | 'priceId' | 'objectCachedTokens'> {
  readonly keyPrefix: string;
  readonly keyName: string | null;
}

/** A request with what it was charged by. */
export interface RequestStory extends LogEntry {
  /** Nano-dollars per million tokens; null when the model had no price. */
  readonly price: {
    readonly version: number;
    readonly inputNanoUsd: bigint;
    readonly cachedInputNanoUsd: bigint;
    readonly outputNanoUsd: bigint;
  } | null;
  /** The entry of the ledger that paid for it; null when nothing was charged. */
  readonly chargedAt: number | null;
}

/** How late the last use of a key may be written. */
const lastUsedErrorMs = 5 * 60_000;

/** One page, newest first; `next` is undefined on the last one. */
export async function listRequestLog(
  store: Store,
  accountId: number,
  filter: RequestLogFilter,
): Promise<{ readonly entries: readonly LogEntry[]; readonly next: LogPosition | undefined }> {
  const keys = await listUsedKeys(store, accountId, filter);
  // The index is by key and time, so each key is asked for its newest and the answers are merged: no sort over a
  // whole window. One more than asked for tells whether there is another page.
  const limit = filter.limit + 1;
  const perKey = await Promise.all(
    keys.map(async (key) => {
      const rows = await selectOfKey(store, key.id, filter).limit(limit).execute();
      return rows.map((row) => decodeEntry(row, key));
    }),
  );
  const newest = perKey.flat().toSorted(compareNewestFirst).slice(0, limit);
  const entries = newest.slice(0, filter.limit);
  return { entries, next: newest.length > filter.limit ? entries.at(-1) : undefined };
}

interface UsedKey {
  readonly id: number;
  readonly prefix: string;
  readonly name: string | null;
}

/** Keys that may have requests in the window. The playground's key is used by sessions, which note no last use. */
async function listUsedKeys(
  store: Store,
  accountId: number,
  { from, keyPrefixes }: RequestLogFilter,
): Promise<readonly UsedKey[]> {
  let query = store.db
    .selectFrom('api_keys')
    .select(['id', 'prefix', 'name'])
    .where('account_id', '=', accountId)
    .where('kind', '!=', 'management')
    .where((where) =>
      where.or([where('last_used_at', '>=', from - lastUsedErrorMs), where('kind', '=', 'playground')]),
    );
  if (keyPrefixes.length > 0) query = query.where('prefix', 'in', keyPrefixes);
  return await query.execute();
}

function selectOfKey(store: Store, keyId: number, filter: RequestLogFilter) {
  const { before, id } = filter;
  let query = store.db
    .selectFrom('usage_requests')
    .selectAll()
    .where('key_id', '=', keyId)
    .where('created_at', '>=', filter.from)
    .where('created_at', '<', filter.to);
  if (before !== undefined) {
    query = query.where('created_at', '<=', before.createdAt).where((where) =>
      where.or([
        where('created_at', '<', before.createdAt),
        // Requests of one millisecond need an order too, or pages would overlap.
        where('inference_id', '<', before.inferenceId),
      ]),
    );
  }
  if (id !== undefined) {
    query = query.where((where) =>
      where.or([where('inference_id', '=', id), where('client_request_id', '=', id)]),
    );
  }
  if (filter.modelIds.length > 0) query = query.where('model_id', 'in', filter.modelIds);
  if (filter.statuses.length > 0) query = query.where('status', 'in', filter.statuses);
  if (filter.origins.length > 0) query = query.where('origin', 'in', filter.origins);
  return query.orderBy('created_at', 'desc').orderBy('inference_id', 'desc');
}

function compareNewestFirst(a: LogEntry, b: LogEntry): number {
  if (a.createdAt !== b.createdAt) return b.createdAt - a.createdAt;
  return a.inferenceId < b.inferenceId ? 1 : -1;
}

/** Undefined when the account has no such request. */
export async function findRequestStory(
  store: Store,
  accountId: number,
  inferenceId: string,
): Promise<RequestStory | undefined> {
  const row = await store.db
    .selectFrom('usage_requests')
    .selectAll()
    .where('inference_id', '=', inferenceId)
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const [key, price, charge] = await Promise.all([
    store.db
      .selectFrom('api_keys')
      .select(['id', 'prefix', 'name'])
      .where('id', '=', row.key_id)
      .executeTakeFirstOrThrow(),
    row.price_id === null
      ? undefined
      : store.db.selectFrom('prices').selectAll().where('id', '=', row.price_id).executeTakeFirst(),
    row.cost_nano_usd === 0n ? undefined : findCharge(store, accountId, row),
  ]);
  return {
    ...decodeEntry(row, key),
    price:
      price === undefined
        ? null
        : {
            version: price.version,
            inputNanoUsd: price.input_nano_usd,
            cachedInputNanoUsd: price.cached_input_nano_usd,
            outputNanoUsd: price.output_nano_usd,
          },
    chargedAt: charge?.created_at ?? null,
  };
}

/**
 * Every charge would pay for an index on references, and a story is read seldom: the account's entries are searched
 * from the newest, because people look at what has just happened. The oldest of a million takes half a second.
 */
async function findCharge(
  store: Store,
  accountId: number,
  row: { readonly inference_id: string; readonly created_at: number },
): Promise<{ readonly created_at: number } | undefined> {
  return await store.db
    .selectFrom('ledger_transfers')
    .select('created_at')
    .where('account_id', '=', accountId)
    .where('created_at', '>=', row.created_at)
    .where('reference_id', '=', row.inference_id)
    // A refund names the same inference.
    .where('type', '=', 'MODEL_USAGE')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

function decodeEntry(row: Selectable<Tables['usage_requests']>, key: UsedKey): LogEntry {
  return {
    inferenceId: row.inference_id,
    clientRequestId: row.client_request_id,
    keyPrefix: key.prefix,
    keyName: key.name,
    modelId: row.model_id,
    origin: row.origin,
    status: row.status,
    errorCode: row.error_code,
    isClientLeft: row.is_client_left === 1,
    inputTokens: row.input_tokens,
    cachedTokens: row.cached_tokens,
    outputTokens: row.output_tokens,
    webSearches: row.web_searches,
    cacheHits: row.cache_hits,
    usageSource: row.usage_source,
    costNanoUsd: row.cost_nano_usd,
    timeToFirstTokenMs: row.time_to_first_token_ms,
    durationMs: row.duration_ms,
    createdAt: row.created_at,
  };
}
