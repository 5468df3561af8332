/** What administrators see and do: `/api/admin/…`. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { TransactionType } from './billing.ts';
import { type CursorPage, walkByCursor } from './cursor-page.ts';
import { request } from './request.ts';

export type AccountState = 'active' | 'disabled' | 'awaits_approval';

export interface AdminAccount {
  readonly id: number;
  readonly email: string;
  readonly name: string;
  readonly is_admin: boolean;
  readonly state: AccountState;
  readonly created_at: string;
  readonly balance_usd: number;
  readonly held_usd: number;
  readonly spent_month_usd: number;
  readonly spent_total_usd: number;
  readonly key_count: number;
  readonly last_used_at: string | null;
}

export interface AccountKey {
  readonly prefix: string;
  readonly name: string | null;
  readonly kind: 'regular' | 'management' | 'playground';
  readonly disabled: boolean;
  readonly created_at: string;
  readonly last_used_at: string | null;
}

export interface AdminTransaction {
  readonly id: number;
  readonly direction: 'TOPUP' | 'CHARGE';
  readonly type: TransactionType;
  readonly amount_usd: number;
  readonly model: string | null;
  readonly reference_id: string | null;
  readonly note: string | null;
  readonly booked_by: string | null;
  readonly created_at: string;
}

export interface Invite {
  readonly id: number;
  readonly email: string | null;
  readonly credit_usd: number;
  readonly note: string | null;
  readonly state: 'open' | 'used' | 'expired' | 'revoked';
  readonly created_at: string;
  readonly expires_at: string;
}

/** US dollars: per million tokens, per million token-minutes of storage, or per call. */
export interface PriceFields {
  readonly input_usd: number;
  readonly cached_input_usd: number;
  readonly object_cached_input_usd: number;
  readonly output_usd: number;
  readonly web_search_usd: number;
  readonly cache_hit_usd: number;
  readonly cache_creation_usd: number;
  readonly cache_storage_usd: number;
}

export interface ModelPrice {
  readonly model: string;
  /** Null for a model that has no price yet: it is free. */
  readonly version: number | null;
  readonly current: PriceFields | null;
  readonly history: readonly (PriceFields & { readonly version: number; readonly created_at: string })[];
}

export interface AdminModel {
  readonly id: string;
  readonly wire_name: string;
  readonly aliases: readonly string[];
  readonly engine: string;
  readonly state: EngineState;
  readonly detail: string;
  readonly backing: {
    readonly weights: string;
    readonly size_bytes: number | null;
    readonly licence: string | null;
    readonly context_tokens: number;
    readonly is_schema_enforced: boolean;
  } | null;
}

export type EngineState = 'loading' | 'ready' | 'failed';

export interface AdminEngine {
  readonly id: string;
  readonly kind: string;
  readonly state: EngineState;
  readonly detail: string;
  readonly models: readonly string[];
  /** Null where the engine tells nothing; so is a single figure. */
  readonly stats: Readonly<Record<EngineStat, number | null>> | null;
}

export type EngineStat =
  | 'running'
  | 'waiting'
  | 'waiting_max'
  | 'kv_cells_used'
  | 'kv_cells_total'
  | 'prompt_tokens_per_second'
  | 'output_tokens_per_second';

export interface SystemHealth {
  readonly version: string;
  readonly node: string;
  readonly started_at: string;
  readonly uptime_seconds: number;
  readonly memory: {
    readonly rss_bytes: number;
    readonly heap_bytes: number;
    readonly machine_total_bytes: number;
    readonly machine_free_bytes: number;
  };
  readonly disk: { readonly free_bytes: number; readonly total_bytes: number };
  readonly store: { readonly kind: 'sqlite' | 'postgres'; readonly size_bytes: number | null };
  readonly readiness: {
    readonly is_ready: boolean;
    readonly checks: readonly { readonly name: string; readonly state: string; readonly detail: string }[];
  };
  readonly jobs: readonly Job[];
}

/** Work that comes up by itself; of the process that answered. */
export interface Job {
  readonly name: string;
  readonly interval_seconds: number;
  readonly is_running: boolean;
  readonly rounds: number;
  readonly failed: number;
  readonly last_ended_at: string | null;
  readonly last_duration_ms: number | null;
  readonly last_failure: string | null;
}

const pageSize = 50;
const liveMs = 2_000;

export const accountsKey = ['admin', 'accounts'] as const;
export const invitesKey = ['admin', 'invites'] as const;
export const pricesKey = ['admin', 'prices'] as const;

export const accountsQuery = (filter: {
  readonly search: string;
  readonly state: AccountState | undefined;
}) =>
  infiniteQueryOptions({
    queryKey: [...accountsKey, filter],
    queryFn: ({ signal, pageParam }) =>
      request<CursorPage<AdminAccount>>('/api/admin/accounts', {
        signal,
        query: {
          search: filter.search === '' ? undefined : filter.search,
          state: filter.state,
          limit: pageSize,
          cursor: pageParam,
        },
      }),
    ...walkByCursor,
  });

export const accountQuery = (id: number) =>
  queryOptions({
    queryKey: [...accountsKey, id],
    queryFn: async ({ signal }) => {
      type Answer = { readonly data: AdminAccount & { readonly keys: readonly AccountKey[] } };
      return (await request<Answer>(`/api/admin/accounts/${id}`, { signal })).data;
    },
  });

export const accountTransactionsQuery = (id: number) =>
  infiniteQueryOptions({
    queryKey: [...accountsKey, id, 'transactions'],
    queryFn: ({ signal, pageParam }) =>
      request<CursorPage<AdminTransaction>>(`/api/admin/accounts/${id}/transactions`, {
        signal,
        query: { limit: pageSize, cursor: pageParam },
      }),
    ...walkByCursor,
  });

/** One of the short lists of administration. */
const listQuery = <Row>(key: readonly string[], path: string, refetchInterval?: number) =>
  queryOptions({
    queryKey: key,
    queryFn: async ({ signal }) => (await request<{ data: readonly Row[] }>(path, { signal })).data,
    ...(refetchInterval === undefined ? {} : { refetchInterval }),
  });

export const resetRequestsQuery = listQuery<{
  readonly account_id: number;
  readonly email: string;
  readonly requested_at: string;
}>(['admin', 'reset-requests'], '/api/admin/reset-requests');
export const invitesQuery = listQuery<Invite>(invitesKey, '/api/admin/invites');
export const pricesQuery = listQuery<ModelPrice>(pricesKey, '/api/admin/prices');
export const modelsQuery = listQuery<AdminModel>(['admin', 'models'], '/api/admin/models');
export const enginesQuery = listQuery<AdminEngine>(['admin', 'engines'], '/api/admin/engines', liveMs);

export const systemQuery = queryOptions({
  queryKey: ['admin', 'system'],
  queryFn: async ({ signal }) =>
    (await request<{ data: SystemHealth }>('/api/admin/system', { signal })).data,
  refetchInterval: 5_000,
});

export interface BackendProbe {
  readonly backend: string;
  readonly duration_ms: number;
  readonly failure: {
    readonly code: 'unavailable' | 'timeout' | 'refused' | 'rate_limited' | 'bad_answer';
    readonly detail: string;
  } | null;
  readonly results: readonly { readonly title: string; readonly url: string; readonly snippet: string }[];
}

/** Asks every search backend by itself. */
export const testSearch = async (query: string): Promise<readonly BackendProbe[]> =>
  (
    await request<{ data: readonly BackendProbe[] }>('/api/admin/search-test', {
      method: 'POST',
      body: { query },
    })
  ).data;
