/** Whoever asks in tests: a regular key of one account, with nothing but the given bounds. */
import type { Caller, RateLimits } from '../types.ts';

export const testCaller = (fields: Partial<Caller> = {}): Caller => ({
  accountId: 1,
  keyId: 1,
  keyPrefix: 'abcdefgh',
  scopes: null,
  origin: 'api',
  ...fields,
});

export const testRateLimits = (fields: Partial<RateLimits>): RateLimits => ({
  requestsPerMinute: undefined,
  tokensPerMinute: undefined,
  tokensPerDay: undefined,
  concurrency: undefined,
  ...fields,
});
