/** Rate limits on the wire: as they were set, and as they hold. */
import { z } from 'zod';
import type { RateLimits } from '../../chat/types.ts';
import { type LimitSettings, limitMax } from '../../limits/limit-administration.ts';

const setting = (what: string) =>
  z
    .union([z.int().min(1).max(limitMax), z.literal('unlimited')])
    .nullish()
    .describe(`${what}; null = nothing of its own.`);

const settingsShape = {
  requests_per_minute: setting('Requests in any 60 seconds'),
  tokens_per_minute: setting('Tokens in any 60 seconds, prompt without what is cached and output'),
  tokens_per_day: setting('The same tokens from 00:00 UTC'),
  concurrency: setting('Requests that run at the same time'),
};

export const rateLimitChangeSchema = z
  .strictObject(settingsShape)
  .describe('What is left out stays as it is.')
  .meta({ id: 'RateLimitChange' });

const rateLimitsSchema = z.object(settingsShape).meta({ id: 'RateLimits' });
export const rateLimitAnswerSchema = z.object({ data: rateLimitsSchema });

type WireLimits = z.output<typeof rateLimitChangeSchema>;

export function decodeLimitChange(wire: WireLimits): Partial<LimitSettings> {
  return {
    ...(wire.requests_per_minute !== undefined && { requestsPerMinute: wire.requests_per_minute }),
    ...(wire.tokens_per_minute !== undefined && { tokensPerMinute: wire.tokens_per_minute }),
    ...(wire.tokens_per_day !== undefined && { tokensPerDay: wire.tokens_per_day }),
    ...(wire.concurrency !== undefined && { concurrency: wire.concurrency }),
  };
}

export function encodeLimits(
  limits: LimitSettings,
): Record<keyof WireLimits, LimitSettings[keyof RateLimits]> {
  return {
    requests_per_minute: limits.requestsPerMinute,
    tokens_per_minute: limits.tokensPerMinute,
    tokens_per_day: limits.tokensPerDay,
    concurrency: limits.concurrency,
  };
}
