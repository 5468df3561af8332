/** The dashboard's charts, log and keys on the wire. */
import { z } from 'zod';
import { toUsdNumber } from '../../billing/money.ts';
import type { KeyReport } from '../../keys/key-administration.ts';
import { parseJson } from '../../parse-json.ts';
import { hoursMax, type UsagePoint } from '../../usage/account-usage.ts';
import type { LogEntry, LogPosition, RequestStory } from '../../usage/request-log.ts';
import { isCanonicalTimeZone, renameTimeZone } from '../../usage/time-zone.ts';
import { encodeTime } from '../encode-time.ts';
import { encodeKey, keySchema } from './key-schema.ts';
import { invalidParameter } from './parse-query.ts';
import { windowFields } from './usage-schema.ts';

const { key_prefix: _, ...windowQuery } = windowFields;

export const seriesQuerySchema = z.object({
  ...windowQuery,
  step: z
    .enum(['day', 'hour'])
    .default('day')
    .describe(`Length of a step; at most ${hoursMax} hours in one answer.`),
  tz: z
    .string()
    .transform(renameTimeZone)
    .refine(isCanonicalTimeZone, 'expected the canonical name of an IANA time zone, such as Europe/Berlin')
    .default('UTC')
    .describe('Whose days are meant.'),
});

const tokens = z.object({
  input: z.int().describe('Prompt tokens, cached ones included.'),
  cached: z.int().describe('The part of the prompt tokens that was not computed again.'),
  output: z.int().describe('Generated tokens.'),
});
const sums = {
  spend: z.number().describe('US dollars.'),
  tokens,
  requests: z.object({ succeeded: z.int(), failed: z.int(), charged: z.int() }),
};

export const seriesSchema = z.object({
  start: z.iso.datetime().describe('Start of the window (UTC).'),
  end: z.iso.datetime().describe('End of the window (UTC).'),
  steps: z.array(z.string()).describe('Every day (`2026-07-21`) or hour (its first moment) in order.'),
  points: z
    .array(
      z.object({
        step: z.string(),
        model: z.string(),
        key_prefix: z.string().describe('First 8 characters of the key.'),
        ...sums,
      }),
    )
    .describe('What each key did with each model in each step; nothing done, no point.'),
  total: z.object(sums),
});

export const requestsQuerySchema = z.object({
  ...windowQuery,
  model: z.array(z.string()).max(50).optional().describe('Only these models. Repeat it for several.'),
  key_prefix: z.array(z.string()).max(50).optional().describe('Only these keys. Repeat it for several.'),
  status: z.array(z.enum(['succeeded', 'failed'])).optional(),
  origin: z.array(z.enum(['api', 'playground'])).optional(),
  id: z.string().max(128).optional().describe('Only the request with this inference or client request id.'),
  limit: z.int().min(1).max(200).default(50).describe('Requests per page.'),
  cursor: z.string().optional().describe('`pagination.next_cursor` of the previous page.'),
});

const requestSchema = z.object({
  inference_id: z.string(),
  client_request_id: z.string().nullable(),
  created_at: z.iso.datetime(),
  key: z.object({ prefix: z.string(), name: z.string().nullable() }),
  model: z.string(),
  origin: z.enum(['api', 'playground']),
  status: z.enum(['succeeded', 'failed']),
  error_code: z.string().nullable().describe('Of a failed request: its code in the list of errors.'),
  client_left: z.boolean().describe('The client left before the end; it paid for what was generated.'),
  tokens,
  tokens_counted_by: z.string().nullable().describe('engine, upstream or estimate.'),
  web_searches: z.int(),
  cache_hits: z.int().describe('Uses of a context cache.'),
  cost_usd: z.number(),
  time_to_first_token_ms: z.int().nullable(),
  duration_ms: z.int(),
  tokens_per_second: z
    .number()
    .nullable()
    .describe('Output tokens per second after the first one; null where it cannot be told.'),
});
export const requestsSchema = z.object({
  data: z.array(requestSchema).describe('Newest first.'),
  pagination: z.object({ limit: z.int(), next_cursor: z.string().nullable() }),
});

export const requestStorySchema = z.object({
  data: requestSchema.extend({
    price: z
      .object({
        version: z.int(),
        input_usd: z.number().describe('Per million tokens.'),
        cached_input_usd: z.number(),
        output_usd: z.number(),
      })
      .nullable()
      .describe('The price it was charged by; null = free.'),
    charged_at: z.iso.datetime().nullable().describe('When the ledger booked the charge.'),
  }),
});

export const accountKeysSchema = z.object({
  data: z.array(
    keySchema.extend({
      last_used_at: z.iso.datetime().nullable().describe('Right to the minute.'),
      expires_at: z.iso.datetime().nullable(),
      limit_spent: z.number().nullable().describe('Spent in the limit’s running period, in USD.'),
    }),
  ),
});

export function encodePoint(
  point: UsagePoint,
  prefixOf: (keyId: number) => string,
): z.input<typeof seriesSchema>['points'][number] {
  return {
    step: point.step,
    model: point.modelId,
    key_prefix: prefixOf(point.keyId),
    ...encodeSums(point),
  };
}

export function encodeSums(
  totals: Omit<UsagePoint, 'step' | 'modelId' | 'keyId'>,
): z.input<typeof seriesSchema>['total'] {
  return {
    spend: toUsdNumber(totals.costNanoUsd),
    tokens: { input: totals.inputTokens, cached: totals.cachedTokens, output: totals.outputTokens },
    requests: {
      succeeded: totals.succeededCount,
      failed: totals.failedCount,
      charged: totals.chargedCount,
    },
  };
}

export function encodeRequest(entry: LogEntry): z.input<typeof requestSchema> {
  return {
    inference_id: entry.inferenceId,
    client_request_id: entry.clientRequestId,
    created_at: encodeTime(entry.createdAt),
    key: { prefix: entry.keyPrefix, name: entry.keyName },
    model: entry.modelId,
    origin: entry.origin,
    status: entry.status,
    error_code: entry.errorCode,
    client_left: entry.isClientLeft,
    tokens: { input: entry.inputTokens, cached: entry.cachedTokens, output: entry.outputTokens },
    tokens_counted_by: entry.usageSource,
    web_searches: entry.webSearches,
    cache_hits: entry.cacheHits,
    cost_usd: toUsdNumber(entry.costNanoUsd),
    time_to_first_token_ms: entry.timeToFirstTokenMs,
    duration_ms: entry.durationMs,
    tokens_per_second: measureSpeed(entry),
  };
}

/** The first token ends the prefill, so it is not part of the decoding that is timed. */
function measureSpeed({ outputTokens, timeToFirstTokenMs, durationMs }: LogEntry): number | null {
  if (timeToFirstTokenMs === null || outputTokens < 2) return null;
  const decodeMs = durationMs - timeToFirstTokenMs;
  return decodeMs <= 0 ? null : Math.round(((outputTokens - 1) / decodeMs) * 10_000) / 10;
}

export function encodeStory(story: RequestStory): z.input<typeof requestStorySchema>['data'] {
  const { price, chargedAt } = story;
  return {
    ...encodeRequest(story),
    price:
      price === null
        ? null
        : {
            version: price.version,
            input_usd: toUsdNumber(price.inputNanoUsd),
            cached_input_usd: toUsdNumber(price.cachedInputNanoUsd),
            output_usd: toUsdNumber(price.outputNanoUsd),
          },
    charged_at: encodeTime(chargedAt),
  };
}

export function encodeAccountKey(key: KeyReport): z.input<typeof accountKeysSchema>['data'][number] {
  return {
    ...encodeKey(key),
    last_used_at: encodeTime(key.lastUsedAt),
    expires_at: encodeTime(key.expiresAt),
    limit_spent: key.limit === null ? null : toUsdNumber(key.limitSpentNanoUsd),
  };
}

/** A page's end as opaque text. It only narrows what its own account is shown, so it needs no seal. */
export function encodeLogCursor({ createdAt, inferenceId }: LogPosition): string {
  return Buffer.from(JSON.stringify([createdAt, inferenceId])).toString('base64url');
}

// No id holds U+0000, and PostgreSQL takes it in no value.
const positionSchema = z.tuple([z.int().min(0), z.string().regex(/^[^\0]{1,128}$/)]);

/** Throws ApiError `invalid_request` for text that was not issued. */
export function decodeLogCursor(cursor: string | undefined): LogPosition | undefined {
  if (cursor === undefined) return undefined;
  const parsed = positionSchema.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString()));
  if (!parsed.success) {
    throw invalidParameter('cursor', 'is accepted only as it was issued; use `pagination.next_cursor`');
  }
  const [createdAt, inferenceId] = parsed.data;
  return { createdAt, inferenceId };
}
