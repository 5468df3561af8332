/** Rate limits of a key, an account or all accounts: the same shape at three kinds of addresses. */
import { queryOptions } from '@tanstack/react-query';
import { request } from './request.ts';

export const rateLimitFields = [
  'requests_per_minute',
  'tokens_per_minute',
  'tokens_per_day',
  'concurrency',
] as const;
export type RateLimitField = (typeof rateLimitFields)[number];

/** Null says nothing of its own: the level above decides. */
export type RateLimits = Readonly<Record<RateLimitField, number | 'unlimited' | null>>;

export const keyLimitsPath = (prefix: string): string => `/v1/keys/${prefix}/rate-limits`;
export const accountLimitsPath = (id: number): string => `/api/admin/accounts/${id}/rate-limits`;
export const defaultLimitsPath = '/api/admin/rate-limits';

export const rateLimitsQuery = (path: string) =>
  queryOptions({
    queryKey: ['rate-limits', path],
    queryFn: async ({ signal }) => (await request<{ data: RateLimits }>(path, { signal })).data,
    // A form begins with it, so it must be what holds now.
    staleTime: 0,
  });

export const changeRateLimits = async (path: string, limits: RateLimits): Promise<void> => {
  await request(path, { method: 'PATCH', body: limits });
};
