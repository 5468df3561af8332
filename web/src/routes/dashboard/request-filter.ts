import type { RequestFilter } from '../../api/activity.ts';

const periods = ['1h', '24h', '7d', '30d'];

/** What an address may say of them; links may leave everything out. */
export interface RequestSearch {
  readonly period?: string | undefined;
  readonly status?: string | undefined;
  readonly origin?: string | undefined;
  readonly keyPrefix?: string | undefined;
  readonly id?: string | undefined;
}

/** The log's filters out of an address; what is no filter is ignored. */
export function readRequestFilter(search: RequestSearch): RequestFilter {
  const { status, origin } = search;
  return {
    period: periods.find((period) => period === search.period) ?? '7d',
    status: status === 'succeeded' || status === 'failed' ? status : undefined,
    origin: origin === 'api' || origin === 'playground' ? origin : undefined,
    keyPrefix: textOf(search.keyPrefix),
    id: textOf(search.id),
  };
}

/** The router reads digits as a number, and a key's prefix may be all digits. */
const textOf = (value: string | number | undefined): string | undefined =>
  value === undefined ? undefined : String(value);
