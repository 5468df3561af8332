/**
 * Sums over stretches of time. Whole quarters of an hour come from the sums that are written with each turn; what
 * sticks out at the ends, from the requests themselves. All in one statement, so the parts belong to one moment.
 */
import { sql } from 'kysely';
import type { Store } from '../store/store.ts';
import { rollupBucketMs } from './record-usage.ts';

export interface TimeSpan {
  /** Milliseconds since 1970; `to` is not part of it. */
  readonly from: number;
  readonly to: number;
}

/** Whose usage is meant: one key's, or that of all keys of an account, deleted and hidden ones too. */
export type UsageScope = { readonly keyId: number } | { readonly accountId: number };

/** What one key did with one model in one span. */
export interface UsageSums {
  /** Position of the span in the question. */
  readonly span: number;
  readonly modelId: string;
  readonly keyId: number;
  /** Cached tokens included. */
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly costNanoUsd: bigint;
  readonly succeededCount: number;
  readonly failedCount: number;
  /** Of the succeeded ones, those that cost anything. */
  readonly chargedCount: number;
}

interface Part extends TimeSpan {
  readonly span: number;
  readonly source: 'rollups' | 'requests' | 'resources';
}

/** At most 160 spans; a key and model without requests or charges in a span have no row. */
export async function readUsageSums(
  store: Store,
  scope: UsageScope,
  spans: readonly TimeSpan[],
): Promise<readonly UsageSums[]> {
  const [first, ...others] = spans.flatMap(splitSpan);
  if (first === undefined) return [];
  const query = others.reduce(
    (union, part) => union.unionAll(selectPart(store, scope, part)),
    selectPart(store, scope, first),
  );
  return (await query.execute()).map((row) => ({
    span: row.span,
    modelId: row.model_id,
    keyId: row.key_id,
    inputTokens: row.input_tokens,
    cachedTokens: row.cached_tokens,
    outputTokens: row.output_tokens,
    costNanoUsd: row.cost_nano_usd,
    succeededCount: row.requests_succeeded,
    failedCount: row.requests_failed,
    chargedCount: row.requests_charged,
  }));
}

function splitSpan({ from, to }: TimeSpan, span: number): readonly Part[] {
  const firstBucket = Math.ceil(from / rollupBucketMs) * rollupBucketMs;
  const afterLastBucket = Math.floor(to / rollupBucketMs) * rollupBucketMs;
  const edge = (edgeFrom: number, edgeTo: number): readonly Part[] => [
    { span, source: 'requests', from: edgeFrom, to: edgeTo },
    { span, source: 'resources', from: edgeFrom, to: edgeTo },
  ];
  const parts: readonly Part[] =
    firstBucket >= afterLastBucket
      ? edge(from, to)
      : [
          ...edge(from, firstBucket),
          { span, source: 'rollups', from: firstBucket, to: afterLastBucket },
          ...edge(afterLastBucket, to),
        ];
  return parts.filter((part) => part.from < part.to);
}

function selectPart(store: Store, scope: UsageScope, part: Part) {
  switch (part.source) {
    case 'rollups':
      return sumRollups(store, scope, part);
    case 'requests':
      return sumRequests(store, scope, part);
    case 'resources':
      return sumResources(store, scope, part);
    default:
      return part.source satisfies never;
  }
}

function sumRollups(store: Store, scope: UsageScope, { span, from, to }: Part) {
  return store.db
    .selectFrom('usage_rollups')
    .where('key_id', 'in', keysOf(store, scope))
    .where('bucket_started_at', '>=', from)
    .where('bucket_started_at', '<', to)
    .groupBy(['model_id', 'key_id'])
    .select((select) => [
      select.lit(span).as('span'),
      'model_id',
      'key_id',
      select.fn.sum<number>('input_tokens').as('input_tokens'),
      select.fn.sum<number>('cached_tokens').as('cached_tokens'),
      select.fn.sum<number>('output_tokens').as('output_tokens'),
      select.fn.sum<bigint>('cost_nano_usd').as('cost_nano_usd'),
      select.fn.sum<number>('requests_succeeded').as('requests_succeeded'),
      select.fn.sum<number>('requests_failed').as('requests_failed'),
      select.fn.sum<number>('requests_charged').as('requests_charged'),
    ]);
}

function sumRequests(store: Store, scope: UsageScope, { span, from, to }: Part) {
  return store.db
    .selectFrom('usage_requests')
    .where('key_id', 'in', keysOf(store, scope))
    .where('created_at', '>=', from)
    .where('created_at', '<', to)
    .groupBy(['model_id', 'key_id'])
    .select((select) => [
      select.lit(span).as('span'),
      'model_id',
      'key_id',
      select.fn.sum<number>('input_tokens').as('input_tokens'),
      select.fn.sum<number>('cached_tokens').as('cached_tokens'),
      select.fn.sum<number>('output_tokens').as('output_tokens'),
      select.fn.sum<bigint>('cost_nano_usd').as('cost_nano_usd'),
      sql<number>`sum(case when status = 'succeeded' then 1 else 0 end)`.as('requests_succeeded'),
      sql<number>`sum(case when status = 'failed' then 1 else 0 end)`.as('requests_failed'),
      sql<number>`sum(case when cost_nano_usd > 0 then 1 else 0 end)`.as('requests_charged'),
    ]);
}

/** What caches cost, which is spend without a request. */
function sumResources(store: Store, scope: UsageScope, { span, from, to }: Part) {
  return store.db
    .selectFrom('resource_charges')
    .where('key_id', 'in', keysOf(store, scope))
    .where('created_at', '>=', from)
    .where('created_at', '<', to)
    .groupBy(['model_id', 'key_id'])
    .select((select) => [
      select.lit(span).as('span'),
      'model_id',
      'key_id',
      sql<number>`0`.as('input_tokens'),
      sql<number>`0`.as('cached_tokens'),
      sql<number>`0`.as('output_tokens'),
      select.fn.sum<bigint>('cost_nano_usd').as('cost_nano_usd'),
      sql<number>`0`.as('requests_succeeded'),
      sql<number>`0`.as('requests_failed'),
      sql<number>`0`.as('requests_charged'),
    ]);
}

/** The indexes begin with the key, so an account is asked as the list of its keys. */
function keysOf(store: Store, scope: UsageScope) {
  const keys = store.db.selectFrom('api_keys').select('id');
  return 'keyId' in scope
    ? keys.where('id', '=', scope.keyId)
    : keys.where('account_id', '=', scope.accountId);
}
