/** API keys on the wire. */
import { z } from 'zod';
import { nanoUsdPerUsd, parseUsd, toUsdNumber } from '../../billing/money.ts';
import type { KeyLimit } from '../../keys/api-keys.ts';
import type { KeyReport } from '../../keys/key-administration.ts';
import { encodeTime } from '../encode-time.ts';
import { invalidField } from '../openai/describe-issue.ts';
import { modelCategories } from './key-scopes.ts';

const thresholdUsdMax = 1_000_000_000;

const retention = z
  .enum(['no_reset', 'day', 'week', 'month'])
  .describe('Limit period, from 00:00 UTC: day, week from Monday, month from the 1st; no_reset = for ever.');
const limit = z
  .object({
    retention: retention.optional(),
    threshold: z
      .number()
      .min(0)
      .max(thresholdUsdMax)
      .optional()
      .describe('Spending limit threshold for the selected period, in USD.'),
  })
  .nullish()
  .describe(
    'Spending limit; null = none. A new one needs its `threshold`; `retention` is no_reset when only that is given.',
  );
const name = z.string().max(200).nullish().describe('Optional human-readable name of the API key.');
const scope = z.union([z.enum(modelCategories), z.string().max(300)]);
const scopes = z
  .array(scope)
  .max(100)
  .nullish()
  .describe(
    'What the key may do: `chat` (also written `model:chat`), `web_search`, `caching`, `files`, and `model:` with a served model’s id; null = everything.',
  );

export const newKeySchema = z.strictObject({ name, limit, scopes }).meta({ id: 'NewKey' });

export const keyChangeSchema = z
  .object({ name, disabled: z.boolean().nullish().describe('Enable or disable the API key.'), limit, scopes })
  .describe('What is left out stays as it is.')
  .meta({ id: 'KeyChange' });

export const keyParamsSchema = z.object({
  prefix: z.string().describe('The first 8 characters of the key.'),
});

export const keySchema = z.object({
  name: z.string().nullable().describe('Name of the API key.'),
  disabled: z.boolean().describe('Whether the key is disabled.'),
  prefix: z.string().describe('The first 8 characters of the key.'),
  scopes: z.array(z.string()).nullable().describe('What the key may do; null = everything.'),
  limit: z
    .object({ retention, threshold: z.number().describe('Threshold for the period, in USD.') })
    .nullable()
    .describe('The spending limit; null = none.'),
  created_at: z.iso.datetime().describe('When the key was made (UTC).'),
  updated_at: z.iso.datetime().describe('When it was changed last (UTC).'),
  monthly_usage: z.number().describe('Spent in this calendar month (UTC), in USD.'),
});
export const keyAnswerSchema = z.object({ data: keySchema.meta({ id: 'Key' }) });
export const keyListSchema = z.object({ data: z.array(keySchema.meta({ id: 'Key' })) });
export const createdKeySchema = z.object({
  data: keySchema.extend({
    limit: keySchema.shape.limit.unwrap().optional().describe('Absent when there is none.'),
    key: z.string().describe('The whole key. It is shown here and never again.'),
  }),
});
export const deletedKeySchema = z.object({
  data: z.object({
    prefix: z.string().describe('Prefix of the deleted key.'),
    deleted: z.literal(true).describe('Always true.'),
  }),
});

type WireLimit = z.output<typeof limit>;

/** Throws ApiError `invalid_request` without a threshold: a misspelt one must not make a key without a limit. */
export function decodeNewLimit(wire: WireLimit): KeyLimit | null {
  if (wire == null) return null;
  const { retention = 'no_reset', threshold } = wire;
  if (threshold === undefined) throw invalidField('limit.threshold', 'is required, expected number');
  return { retention, thresholdNanoUsd: toNanoUsd(threshold) };
}

/** What is left out stays as it is. Throws ApiError `invalid_request` when nothing of a limit is named. */
export function decodeLimitChange(wire: WireLimit): Partial<KeyLimit> | null {
  if (wire == null) return null;
  const { retention, threshold } = wire;
  if (retention === undefined && threshold === undefined) {
    throw invalidField('limit', 'expected at least one of retention, threshold');
  }
  return {
    ...(retention !== undefined && { retention }),
    ...(threshold !== undefined && { thresholdNanoUsd: toNanoUsd(threshold) }),
  };
}

/** Dollars are rounded to whole nano-dollars: JSON numbers such as 0.1 + 0.2 have more decimals than money has. */
function toNanoUsd(usd: number): bigint {
  return parseUsd(usd.toFixed(String(nanoUsdPerUsd).length - 1));
}

export function encodeKey(key: KeyReport): z.input<typeof keySchema> {
  return {
    name: key.name,
    disabled: key.isDisabled,
    prefix: key.prefix,
    scopes: key.scopes === null ? null : [...key.scopes],
    limit:
      key.limit === null
        ? null
        : { retention: key.limit.retention, threshold: toUsdNumber(key.limit.thresholdNanoUsd) },
    created_at: encodeTime(key.createdAt),
    updated_at: encodeTime(key.updatedAt),
    monthly_usage: toUsdNumber(key.monthSpentNanoUsd),
  };
}
