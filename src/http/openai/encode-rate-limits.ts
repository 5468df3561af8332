import type { RateLimitState, RateLimitWindow } from '../../limits/rate-limit-state.ts';

/**
 * What is left, in both dialects of headers: `X-RateLimit-*` as Moonshot's help centre names them (requests per minute,
 * whole seconds), and OpenAI's `x-ratelimit-*-requests` and `-tokens`, which LiteLLM and others read.
 */
export function encodeRateLimits({ requests, tokens }: RateLimitState): Record<string, string> {
  return {
    ...(requests !== undefined && {
      'x-ratelimit-limit': String(requests.limit),
      'x-ratelimit-remaining': String(requests.remaining),
      'x-ratelimit-reset': String(Math.ceil(requests.resetMs / 1000)),
      ...encodeWindow('requests', requests),
    }),
    ...(tokens !== undefined && encodeWindow('tokens', tokens)),
  };
}

function encodeWindow(name: string, { limit, remaining, resetMs }: RateLimitWindow): Record<string, string> {
  return {
    [`x-ratelimit-limit-${name}`]: String(limit),
    [`x-ratelimit-remaining-${name}`]: String(remaining),
    // OpenAI writes a duration with its unit, such as `12s`.
    [`x-ratelimit-reset-${name}`]: `${Math.ceil(resetMs / 1000)}s`,
  };
}
