import { queryOptions } from '@tanstack/react-query';
import { request } from './request.ts';
import type { Model } from './wire-types.ts';

/** Every served model with its prices, modalities and capabilities. */
export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: async ({ signal }) =>
    (await request<{ data: readonly Model[] }>('/v1/models', { query: { include: 'all' }, signal })).data,
  staleTime: 60_000,
});

/** The model of that id or alias. */
export function findModel(models: readonly Model[], name: string | undefined): Model | undefined {
  return models.find(({ id, aliases }) => id === name || aliases.some((alias) => alias === name));
}
