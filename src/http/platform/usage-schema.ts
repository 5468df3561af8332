/** Usage and logs on the wire. */
import { z } from 'zod';
import { toCredits, toUsdNumber } from '../../billing/money.ts';
import type { LoggedRequest } from '../../usage/list-requests.ts';
import type { TimeSpan } from '../../usage/read-usage-sums.ts';
import { isCanonicalTimeZone } from '../../usage/time-zone.ts';
import type { ModelUsage, UsageGroup } from '../../usage/usage-reports.ts';
import { encodeTime } from '../encode-time.ts';
import { invalidParameter, momentInUtc } from './parse-query.ts';

const hourMs = 3_600_000;
const spanDaysMax = 92;

export const windowFields = {
  period: z
    .string()
    .regex(/^[1-9]\d{0,5}[hd]$/, 'expected a whole number and h or d, such as 24h or 7d')
    .optional()
    .describe('The time until now: a whole number and `h` or `d`. Give this, or `start` and `end`.'),
  start: momentInUtc.optional().describe('Start of the window, ISO 8601; without an offset it is UTC.'),
  end: momentInUtc.optional().describe('End of the window; at most 92 days after its start.'),
  key_prefix: z
    .string()
    .optional()
    .describe(
      'First 8 characters of the key; default: the key that asks. Another key needs a management key.',
    ),
};

export const usageQuerySchema = z.object(windowFields);

export const usageDetailQuerySchema = z.object({
  ...windowFields,
  group_by: z
    .enum(['day', 'model', 'day,model'])
    .optional()
    .describe('Adds `groups` to the answer: by day, by model, or by both.'),
  tz: z
    .string()
    .refine(
      isCanonicalTimeZone,
      'expected the exact canonical name of an IANA time zone, such as Europe/Berlin or UTC',
    )
    .optional()
    .describe('Whose days are meant in day groups: a canonical IANA zone name. Default UTC.'),
});

export const logsQuerySchema = z.object({
  ...windowFields,
  model: z
    .array(z.string())
    .max(50)
    .optional()
    .describe('Only requests to this model (id or alias, exactly). Repeat it for several.'),
  status: z
    .array(z.enum(['succeeded', 'failed']))
    .optional()
    .describe('Only requests with this outcome. Repeat it for both.'),
  limit: z.int().min(1).max(100).default(50).describe('Rows per page.'),
  offset: z.int().min(0).default(0).describe('Rows to skip.'),
});

/** The asked window in milliseconds. Throws ApiError `invalid_request`. */
export function decodeWindow(
  query: Omit<z.output<typeof usageQuerySchema>, 'key_prefix'>,
  now: number,
): TimeSpan {
  const { period, start, end } = query;
  if (period !== undefined) {
    if (start !== undefined || end !== undefined) {
      throw invalidParameter('period', 'cannot stand beside `start` and `end`');
    }
    return checkLength({ from: now - lengthOf(period), to: now }, 'period');
  }
  if (start === undefined && end === undefined) {
    throw invalidParameter('period', 'is required, or both `start` and `end`');
  }
  if (start === undefined) throw invalidParameter('start', 'is required beside `end`');
  if (end === undefined) throw invalidParameter('end', 'is required beside `start`');
  if (end < start) throw invalidParameter('end', 'must not be earlier than `start`');
  return checkLength({ from: start, to: end }, 'end');
}

function lengthOf(period: string): number {
  return Number.parseInt(period, 10) * (period.endsWith('h') ? hourMs : 24 * hourMs);
}

function checkLength(span: TimeSpan, param: string): TimeSpan {
  if (span.to - span.from > spanDaysMax * 24 * hourMs) {
    throw invalidParameter(param, `the window must not exceed ${spanDaysMax} days`);
  }
  return span;
}

const chargedRequests = z.int().min(0).describe('Number of charged requests.');
const spend = z.number().min(0).describe('Spend in US dollars.');

export const usageSchema = z.object({
  api_key_prefix: z.string().nullable().describe('The `key_prefix` that was given; null = your own key.'),
  start: z.iso.datetime().describe('Start of the window (UTC).'),
  end: z.iso.datetime().describe('End of the window (UTC).'),
  spend,
  currency: z.literal('USD').describe('Always USD.'),
  requests: chargedRequests,
});

const tokens = z.object({
  input: z.int().min(0).describe('Prompt tokens, cached ones included.'),
  output: z.int().min(0).describe('Generated tokens.'),
  total: z.int().min(0).describe('Both together.'),
});
const modelUsageSchema = z.object({
  model: z.string().describe('The model.'),
  spend,
  requests: chargedRequests,
});
const groupSchema = z.object({
  day: z.string().optional().describe('The day, in `tz`; present when grouped by day.'),
  model: z.string().optional().describe('The model; present when grouped by model.'),
  spend,
  tokens,
  requests: z.object({
    total: z.int().min(0).describe('All requests.'),
    charged: z.int().min(0).describe('Those that cost anything.'),
    succeeded: z.int().min(0).describe('Those that were answered, or left by their client.'),
    failed: z.int().min(0).describe('Those that failed; they cost nothing.'),
  }),
});
export const usageDetailSchema = usageSchema.extend({
  models: z.array(modelUsageSchema).describe('Highest spend first.'),
  groups: z
    .array(groupSchema)
    .optional()
    .describe('Present with `group_by`; groups without requests are left out.'),
});

const logRowSchema = z.object({
  created: z.iso.datetime().describe('When the request was made (UTC).'),
  status: z.enum(['succeeded', 'failed']).describe('A failed request costs nothing.'),
  origin: z.enum(['api', 'playground']).describe('Where it came from.'),
  model: z.string().describe('The model’s id.'),
  cost: z.object({ usd: z.number().min(0), credits: z.int().min(0) }).describe('What it cost.'),
  tokens,
  request_id: z.string().nullable().describe('The header `x-request-id` of the answer.'),
  inference_id: z.string().describe('The header `x-inference-id`, and the `reference_id` of its charge.'),
  client_request_id: z.string().nullable().describe('The `X-Client-Request-Id` that you sent.'),
});
export const logsSchema = z.object({
  data: z.array(logRowSchema).describe('Newest first.'),
  pagination: z.object({
    limit: z.int(),
    offset: z.int(),
    total: z.int().describe('Matching rows over all pages.'),
    has_more: z.boolean().describe('Whether another page follows.'),
  }),
});

export function encodeModelUsage(usage: ModelUsage): z.input<typeof modelUsageSchema> {
  return { model: usage.modelId, spend: toUsdNumber(usage.costNanoUsd), requests: usage.chargedCount };
}

export function encodeGroup(group: UsageGroup): z.input<typeof groupSchema> {
  return {
    ...(group.day !== undefined && { day: group.day }),
    ...(group.modelId !== undefined && { model: group.modelId }),
    spend: toUsdNumber(group.costNanoUsd),
    tokens: encodeTokens(group),
    requests: {
      total: group.succeededCount + group.failedCount,
      charged: group.chargedCount,
      succeeded: group.succeededCount,
      failed: group.failedCount,
    },
  };
}

export function encodeLogRow(row: LoggedRequest): z.input<typeof logRowSchema> {
  return {
    created: encodeTime(row.createdAt),
    status: row.status,
    origin: row.origin,
    model: row.modelId,
    cost: { usd: toUsdNumber(row.costNanoUsd), credits: Number(toCredits(row.costNanoUsd)) },
    tokens: encodeTokens(row),
    request_id: row.inferenceId,
    inference_id: row.inferenceId,
    client_request_id: row.clientRequestId,
  };
}

function encodeTokens({ inputTokens, outputTokens }: Pick<LoggedRequest, 'inputTokens' | 'outputTokens'>) {
  return { input: inputTokens, output: outputTokens, total: inputTokens + outputTokens };
}
