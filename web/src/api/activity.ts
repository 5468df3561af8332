/** Usage and requests of the whole account: `GET /api/usage`, `/api/requests`, `/models/metrics`. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { type CursorPage, walkByCursor } from './cursor-page.ts';
import { request } from './request.ts';

export interface UsageSums {
  readonly spend: number;
  readonly tokens: { readonly input: number; readonly cached: number; readonly output: number };
  readonly requests: { readonly succeeded: number; readonly failed: number; readonly charged: number };
}

export interface UsagePoint extends UsageSums {
  readonly step: string;
  readonly model: string;
  readonly key_prefix: string;
}

export interface UsageSeries {
  readonly start: string;
  readonly end: string;
  readonly steps: readonly string[];
  readonly points: readonly UsagePoint[];
  readonly total: UsageSums;
}

export interface UsageQuestion {
  /** `24h`, `30d`; or both ends. */
  readonly window: { readonly period: string } | { readonly start: string; readonly end: string };
  readonly step: 'day' | 'hour';
  readonly timeZone: string;
}

export interface LoggedRequest {
  readonly inference_id: string;
  readonly client_request_id: string | null;
  readonly created_at: string;
  readonly key: { readonly prefix: string; readonly name: string | null };
  readonly model: string;
  readonly origin: 'api' | 'playground';
  readonly status: 'succeeded' | 'failed';
  readonly error_code: string | null;
  readonly client_left: boolean;
  readonly tokens: { readonly input: number; readonly cached: number; readonly output: number };
  readonly tokens_counted_by: string | null;
  readonly web_searches: number;
  readonly cache_hits: number;
  readonly cost_usd: number;
  readonly time_to_first_token_ms: number | null;
  readonly duration_ms: number;
  readonly tokens_per_second: number | null;
}

export interface RequestStory extends LoggedRequest {
  readonly price: {
    readonly version: number;
    readonly input_usd: number;
    readonly cached_input_usd: number;
    readonly output_usd: number;
  } | null;
  readonly charged_at: string | null;
}

export interface RequestFilter {
  readonly period: string;
  readonly status?: 'succeeded' | 'failed' | undefined;
  readonly origin?: 'api' | 'playground' | undefined;
  readonly keyPrefix?: string | undefined;
  readonly id?: string | undefined;
}

interface Percentiles {
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p99: number;
}

export interface ModelSpeed {
  readonly alias: string;
  readonly metrics: {
    readonly ttft_ms?: Percentiles;
    readonly tps?: Percentiles;
    readonly duration_ms?: Percentiles;
  };
}

const pageSize = 100;

/** The browser's own zone; the server knows its days. */
export const ownTimeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

export const usageQuery = (question: UsageQuestion) =>
  queryOptions({
    queryKey: ['usage', question],
    queryFn: ({ signal }) =>
      request<UsageSeries>('/api/usage', {
        signal,
        query: { ...question.window, step: question.step, tz: question.timeZone },
      }),
  });

/** Newest first, page by page. */
export const requestsQuery = (filter: RequestFilter) =>
  infiniteQueryOptions({
    queryKey: ['requests', filter],
    queryFn: ({ signal, pageParam }) =>
      request<CursorPage<LoggedRequest>>('/api/requests', {
        signal,
        query: {
          period: filter.period,
          status: filter.status,
          origin: filter.origin,
          key_prefix: filter.keyPrefix,
          id: filter.id,
          limit: pageSize,
          cursor: pageParam,
        },
      }),
    ...walkByCursor,
  });

export const requestStoryQuery = (inferenceId: string) =>
  queryOptions({
    queryKey: ['request', inferenceId],
    queryFn: async ({ signal }) => {
      const path = `/api/requests/${encodeURIComponent(inferenceId)}`;
      return (await request<{ data: RequestStory }>(path, { signal })).data;
    },
  });

/** Speed of each model over the last five minutes. */
export const speedQuery = queryOptions({
  queryKey: ['speed'],
  queryFn: async ({ signal }) =>
    (await request<{ models: readonly ModelSpeed[] }>('/models/metrics', { signal })).models,
  refetchInterval: 30_000,
});
