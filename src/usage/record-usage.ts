/**
 * Usage as statements: the row of one inference and its share in the quarter-hour sums. They belong into the
 * group that settles or releases the turn, so that log, sums and money never disagree.
 */
import { type Statement, statement } from '../store/store.ts';
import type { ResourceChargeKind } from '../store/tables.ts';

/** One inference that has ended. Times and durations in milliseconds. */
export interface UsageRecord {
  readonly inferenceId: string;
  readonly accountId: number;
  readonly keyId: number;
  readonly modelId: string;
  readonly priceId: number | null;
  readonly origin: 'api' | 'playground';
  readonly status: 'succeeded' | 'failed';
  /** Of a failed request, from the catalogue of errors. */
  readonly errorCode: string | null;
  readonly isClientLeft: boolean;
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  /** The part of `cachedTokens` that a context-cache object covered. */
  readonly objectCachedTokens: number;
  readonly webSearches: number;
  /** Uses of a context-cache object. */
  readonly cacheHits: number;
  /** Who counted the tokens; null when nothing was. */
  readonly usageSource: string | null;
  readonly costNanoUsd: bigint;
  readonly clientRequestId: string | null;
  readonly timeToFirstTokenMs: number | null;
  readonly durationMs: number;
  /** When the turn began. */
  readonly createdAt: number;
}

type UsageCounts = Pick<
  UsageRecord,
  | 'inputTokens'
  | 'cachedTokens'
  | 'outputTokens'
  | 'objectCachedTokens'
  | 'webSearches'
  | 'cacheHits'
  | 'usageSource'
>;

/** What a turn that failed has used. */
export const noUsage: UsageCounts = {
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  objectCachedTokens: 0,
  webSearches: 0,
  cacheHits: 0,
  usageSource: null,
};

export const rollupBucketMs = 15 * 60_000;

/** A second record of the same inference is refused as a unique violation. */
export function recordUsage(record: UsageRecord): readonly Statement<never>[] {
  return [insertRequest(record), addToRollup(record)];
}

function insertRequest(record: UsageRecord): Statement<never> {
  return statement(
    `insert into usage_requests (inference_id, account_id, key_id, model_id, price_id, origin, status, error_code,
       is_client_left, input_tokens, cached_tokens, output_tokens, object_cached_tokens, web_searches, cache_hits,
       usage_source, cost_nano_usd, client_request_id, time_to_first_token_ms, duration_ms, created_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      record.inferenceId,
      record.accountId,
      record.keyId,
      record.modelId,
      record.priceId,
      record.origin,
      record.status,
      record.errorCode,
      record.isClientLeft ? 1 : 0,
      record.inputTokens,
      record.cachedTokens,
      record.outputTokens,
      record.objectCachedTokens,
      record.webSearches,
      record.cacheHits,
      record.usageSource,
      record.costNanoUsd,
      record.clientRequestId,
      record.timeToFirstTokenMs === null ? null : Math.round(record.timeToFirstTokenMs),
      Math.round(record.durationMs),
      record.createdAt,
    ],
  );
}

/** A charge that belongs to no turn, such as an hour of a cache's storage. */
export interface ResourceUsageRecord {
  /** Unique for ever; a second record is refused as a unique violation. */
  readonly onceKey: string;
  readonly resourceId: string;
  readonly kind: ResourceChargeKind;
  readonly accountId: number;
  readonly keyId: number;
  readonly modelId: string;
  readonly priceId: number | null;
  readonly tokens: number;
  readonly costNanoUsd: bigint;
  /** When it is booked, in milliseconds. */
  readonly createdAt: number;
}

/** Reports add its cost to the key's spend; it is no request. */
export function recordResourceUsage(record: ResourceUsageRecord): readonly Statement<never>[] {
  return [
    statement(
      `insert into resource_charges (once_key, resource_id, kind, account_id, key_id, model_id, price_id, tokens,
         cost_nano_usd, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        record.onceKey,
        record.resourceId,
        record.kind,
        record.accountId,
        record.keyId,
        record.modelId,
        record.priceId,
        record.tokens,
        record.costNanoUsd,
        record.createdAt,
      ],
    ),
    addToRollup({ ...record, ...noUsage, status: undefined }),
  ];
}

type RollupShare = UsageCounts &
  Pick<UsageRecord, 'accountId' | 'keyId' | 'modelId' | 'costNanoUsd' | 'createdAt'> & {
    /** Undefined: no request. */
    readonly status: UsageRecord['status'] | undefined;
  };

function addToRollup(record: RollupShare): Statement<never> {
  return statement(
    `insert into usage_rollups (key_id, model_id, bucket_started_at, account_id, input_tokens, cached_tokens,
       output_tokens, object_cached_tokens, web_searches, cache_hits, cost_nano_usd, requests_succeeded,
       requests_failed, requests_charged)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     on conflict (key_id, bucket_started_at, model_id) do update set
       input_tokens = usage_rollups.input_tokens + excluded.input_tokens,
       cached_tokens = usage_rollups.cached_tokens + excluded.cached_tokens,
       output_tokens = usage_rollups.output_tokens + excluded.output_tokens,
       object_cached_tokens = usage_rollups.object_cached_tokens + excluded.object_cached_tokens,
       web_searches = usage_rollups.web_searches + excluded.web_searches,
       cache_hits = usage_rollups.cache_hits + excluded.cache_hits,
       cost_nano_usd = usage_rollups.cost_nano_usd + excluded.cost_nano_usd,
       requests_succeeded = usage_rollups.requests_succeeded + excluded.requests_succeeded,
       requests_failed = usage_rollups.requests_failed + excluded.requests_failed,
       requests_charged = usage_rollups.requests_charged + excluded.requests_charged`,
    [
      record.keyId,
      record.modelId,
      Math.floor(record.createdAt / rollupBucketMs) * rollupBucketMs,
      record.accountId,
      record.inputTokens,
      record.cachedTokens,
      record.outputTokens,
      record.objectCachedTokens,
      record.webSearches,
      record.cacheHits,
      record.costNanoUsd,
      record.status === 'succeeded' ? 1 : 0,
      record.status === 'failed' ? 1 : 0,
      record.status === 'succeeded' && record.costNanoUsd > 0n ? 1 : 0,
    ],
  );
}
