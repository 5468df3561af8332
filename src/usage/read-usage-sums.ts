/**
 * Sums over stretches of time. Whole quarters of an hour come from the sums that are written with each turn; what
 * sticks out at the ends, from the requests themselves. All in one statement, so the parts belong to one moment.
 */
import { type RawBuilder, sql } from 'kysely';
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

/** A piece of the span at that position. */
interface Part extends TimeSpan {
  readonly span: number;
}

interface Row {
  readonly span: number;
  readonly model_id: string;
  readonly key_id: number;
  readonly input_tokens: number;
  readonly cached_tokens: number;
  readonly output_tokens: number;
  readonly cost_nano_usd: bigint;
  readonly requests_succeeded: number;
  readonly requests_failed: number;
  readonly requests_charged: number;
}

/** At most 160 spans; a key and model without requests or charges in a span have no row. */
export async function readUsageSums(
  store: Store,
  scope: UsageScope,
  spans: readonly TimeSpan[],
): Promise<readonly UsageSums[]> {
  const wholes = spans.flatMap(cutWhole);
  const edges = spans.flatMap(cutEdges);
  const lists: RawBuilder<unknown>[] = [];
  const sums: RawBuilder<unknown>[] = [];
  if (wholes.length > 0) {
    lists.push(listParts(sql`wholes`, wholes));
    sums.push(sumRollups(scope));
  }
  if (edges.length > 0) {
    lists.push(listParts(sql`edges`, edges));
    sums.push(sumRequests(scope), sumCharges(scope));
  }
  if (sums.length === 0) return [];
  const { rows } = await sql<Row>`with ${sql.join(lists)} ${sql.join(sums, sql` union all `)}`.execute(
    store.db,
  );
  return rows.map((row) => ({
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

/** The whole quarters of an hour in a span. */
function cutWhole({ from, to }: TimeSpan, span: number): readonly Part[] {
  const whole = { span, from: roundUp(from), to: roundDown(to) };
  return whole.from < whole.to ? [whole] : [];
}

/** What a span has beside them. */
function cutEdges({ from, to }: TimeSpan, span: number): readonly Part[] {
  const edges =
    roundUp(from) < roundDown(to)
      ? [
          { span, from, to: roundUp(from) },
          { span, from: roundDown(to), to },
        ]
      : [{ span, from, to }];
  return edges.filter((edge) => edge.from < edge.to);
}

const roundUp = (at: number): number => Math.ceil(at / rollupBucketMs) * rollupBucketMs;
const roundDown = (at: number): number => Math.floor(at / rollupBucketMs) * rollupBucketMs;

/**
 * Parts as a table, so that the statement stays one join however many they are: a select for each part took this
 * thread longer to write than the database to run. PostgreSQL must be told what a parameter is.
 */
function listParts(name: RawBuilder<unknown>, parts: readonly Part[]): RawBuilder<unknown> {
  const rows = parts.map(
    ({ span, from, to }) => sql`(cast(${span} as bigint), cast(${from} as bigint), cast(${to} as bigint))`,
  );
  return sql`${name} (span, starts_at, ends_at) as (values ${sql.join(rows)})`;
}

// In each: `cross join` has SQLite go through the parts, and look each up in the index of key and time.

const sumRollups = (
  scope: UsageScope,
) => sql`select span, model_id, key_id, sum(input_tokens) as input_tokens,
    sum(cached_tokens) as cached_tokens, sum(output_tokens) as output_tokens, sum(cost_nano_usd) as cost_nano_usd,
    sum(requests_succeeded) as requests_succeeded, sum(requests_failed) as requests_failed,
    sum(requests_charged) as requests_charged
  from wholes cross join usage_rollups
  where ${isWithin(scope)} and bucket_started_at >= starts_at and bucket_started_at < ends_at
  group by span, model_id, key_id`;

const sumRequests = (
  scope: UsageScope,
) => sql`select span, model_id, key_id, sum(input_tokens) as input_tokens,
    sum(cached_tokens) as cached_tokens, sum(output_tokens) as output_tokens, sum(cost_nano_usd) as cost_nano_usd,
    sum(case when status = 'succeeded' then 1 else 0 end) as requests_succeeded,
    sum(case when status = 'failed' then 1 else 0 end) as requests_failed,
    sum(case when cost_nano_usd > 0 then 1 else 0 end) as requests_charged
  from edges cross join usage_requests
  where ${isWithin(scope)} and created_at >= starts_at and created_at < ends_at
  group by span, model_id, key_id`;

/** What caches cost, which is spend without a request. */
const sumCharges = (
  scope: UsageScope,
) => sql`select span, model_id, key_id, 0, 0, 0, sum(cost_nano_usd), 0, 0, 0
  from edges cross join resource_charges
  where ${isWithin(scope)} and created_at >= starts_at and created_at < ends_at
  group by span, model_id, key_id`;

/** The indexes begin with the key, so an account is asked as the list of its keys. */
const isWithin = (scope: UsageScope): RawBuilder<unknown> =>
  'keyId' in scope
    ? sql`key_id = ${scope.keyId}`
    : sql`key_id in (select id from api_keys where account_id = ${scope.accountId})`;
