/** The account's keys: `/api/keys` to look at, `/v1/keys` to change, `/api/management-keys` for the other kind. */
import { queryOptions } from '@tanstack/react-query';
import { request } from './request.ts';

export type LimitRetention = 'no_reset' | 'day' | 'week' | 'month';

export interface ApiKey {
  readonly prefix: string;
  readonly name: string | null;
  readonly disabled: boolean;
  readonly scopes: readonly string[] | null;
  readonly limit: { readonly retention: LimitRetention; readonly threshold: number } | null;
  /** In the limit's running period; null without a limit. */
  readonly limit_spent: number | null;
  readonly monthly_usage: number;
  readonly created_at: string;
  readonly last_used_at: string | null;
  readonly expires_at: string | null;
}

export interface ManagementKey {
  readonly prefix: string;
  readonly name: string | null;
  readonly disabled: boolean;
  readonly created_at: string;
  readonly last_used_at: string | null;
}

/** What can be set; null takes a limit or the narrowing of scopes away. */
export interface KeySettings {
  readonly name?: string | null;
  readonly disabled?: boolean;
  readonly limit?: { readonly retention: LimitRetention; readonly threshold: number } | null;
  readonly scopes?: readonly string[] | null;
}

export const keysKey = ['keys'] as const;
export const managementKeysKey = ['management-keys'] as const;

export const keysQuery = queryOptions({
  queryKey: keysKey,
  queryFn: async ({ signal }) => (await request<{ data: readonly ApiKey[] }>('/api/keys', { signal })).data,
});

export const managementKeysQuery = queryOptions({
  queryKey: managementKeysKey,
  queryFn: async ({ signal }) =>
    (await request<{ data: readonly ManagementKey[] }>('/api/management-keys', { signal })).data,
});

interface WithSecret {
  readonly data: { readonly prefix: string; readonly name: string | null; readonly key: string };
}

const addressOf = (kind: KeyKind): string => (kind === 'regular' ? '/v1/keys' : '/api/management-keys');
export type KeyKind = 'regular' | 'management';

/** The whole key is in this answer and in no other. */
export const createKey = async (kind: KeyKind, settings: KeySettings): Promise<WithSecret['data']> =>
  (await request<WithSecret>(addressOf(kind), { method: 'POST', body: settings })).data;

export const changeKey = async (kind: KeyKind, prefix: string, settings: KeySettings): Promise<void> => {
  await request(`${addressOf(kind)}/${prefix}`, { method: 'PATCH', body: settings });
};

export const deleteKey = async (kind: KeyKind, prefix: string): Promise<void> => {
  await request(`${addressOf(kind)}/${prefix}`, { method: 'DELETE' });
};
