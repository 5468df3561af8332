/** The account's context caches: `/v1/caching`. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { request } from './request.ts';

export interface ContextCache {
  readonly id: string;
  readonly status: 'pending' | 'ready' | 'error' | 'inactive';
  readonly name: string | null;
  readonly model: string;
  readonly tokens: number;
  /** Seconds since 1970. */
  readonly created_at: number;
  readonly expired_at: number;
  readonly backing: 'pinned' | 'resent';
  readonly error?: { readonly type: string; readonly message: string };
}

export interface CachePage {
  readonly data: readonly ContextCache[];
  readonly has_more: boolean;
  readonly savings: {
    readonly prompt_tokens: number;
    readonly cached_tokens: number;
    readonly hit_ratio: number;
    readonly cache_hits: number;
  };
}

// The answer holds what each cache was made of, so a page is short.
const pageSize = 20;
export const cachesKey = ['caches'] as const;

/** Newest first, page by page. */
export const cachesQuery = infiniteQueryOptions({
  queryKey: cachesKey,
  queryFn: ({ signal, pageParam }) =>
    request<CachePage>('/v1/caching', {
      signal,
      query: { limit: pageSize, order: 'desc', after: pageParam },
    }),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => (page.has_more ? page.data.at(-1)?.id : undefined),
  refetchInterval: 15_000,
});

export const deleteCache = async (id: string): Promise<void> => {
  await request(`/v1/caching/${id}`, { method: 'DELETE' });
};

/** Lets it live for so many seconds from now. */
export const extendCache = async (id: string, seconds: number): Promise<void> => {
  await request(`/v1/caching/${id}`, { method: 'PUT', body: { ttl: seconds } });
};

interface PricedModel {
  readonly id: string;
  readonly pricing?: {
    readonly units: readonly { readonly unit: string; readonly price: number; readonly per: number }[];
  };
}

/** What storing one token for one hour costs in US dollars, by the model's id. */
export const storagePricesQuery = queryOptions({
  queryKey: ['storage-prices'],
  queryFn: async ({ signal }) => {
    const { data } = await request<{ data: readonly PricedModel[] }>('/v1/models', {
      signal,
      query: { include: 'pricing' },
    });
    return new Map(
      data.map(({ id, pricing }) => {
        const unit = pricing?.units.find((each) => each.unit === 'cache_storage_token_minutes');
        return [id, unit === undefined ? 0 : (unit.price / unit.per) * 60];
      }),
    );
  },
});
