/** Conversations as the account keeps them. Their content is the playground's own (`conversation.ts`). */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { type CursorPage, walkByCursor } from './cursor-page.ts';
import { request } from './request.ts';

export interface StoredConversation {
  readonly id: string;
  readonly title: string;
  readonly created_at: string;
  readonly updated_at: string;
  /** Rises with each change; sent back so that two tabs cannot overwrite each other. */
  readonly revision: number;
  readonly share_id: string | null;
}

export const conversationsKey = ['conversations'] as const;

/** With `search`, those whose title or messages hold each of its words. */
export const conversationsQuery = (search: string) =>
  infiniteQueryOptions({
    queryKey: [...conversationsKey, 'list', search],
    queryFn: ({ pageParam, signal }) =>
      request<CursorPage<StoredConversation>>('/api/conversations', {
        query: { limit: 50, cursor: pageParam, search: search === '' ? undefined : search },
        signal,
      }),
    ...walkByCursor,
    placeholderData: keepPreviousData,
  });

const addressOf = (id: string): string => `/api/conversations/${encodeURIComponent(id)}`;

type WithContent = StoredConversation & { readonly content: unknown };

export const conversationQuery = (id: string) =>
  queryOptions({
    queryKey: [...conversationsKey, id],
    queryFn: async ({ signal }) => (await request<{ data: WithContent }>(addressOf(id), { signal })).data,
    // What is open in the playground is newer than what the server has: it is read once per visit.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });

export async function createConversation(title: string, content: object): Promise<StoredConversation> {
  return (
    await request<{ data: StoredConversation }>('/api/conversations', {
      method: 'POST',
      body: { title, content },
    })
  ).data;
}

/** `revision` of an older state is refused with `conflict`. */
export async function changeConversation(
  id: string,
  change: { readonly title?: string; readonly content?: object; readonly revision?: number },
): Promise<StoredConversation> {
  return (await request<{ data: StoredConversation }>(addressOf(id), { method: 'PATCH', body: change })).data;
}

export async function deleteConversation(id: string): Promise<void> {
  await request(addressOf(id), { method: 'DELETE' });
}

/** Resolves to the id of the public page; sharing again gives the same. */
export async function shareConversation(id: string): Promise<string> {
  return (
    await request<{ data: { share_id: string } }>(`${addressOf(id)}/share`, { method: 'PUT', body: {} })
  ).data.share_id;
}

export async function unshareConversation(id: string): Promise<void> {
  await request(`${addressOf(id)}/share`, { method: 'DELETE' });
}

export interface SharedConversation {
  readonly title: string;
  readonly content: unknown;
  readonly updated_at: string;
}

export const sharedConversationQuery = (shareId: string) =>
  queryOptions({
    queryKey: ['shared', shareId],
    queryFn: async ({ signal }) =>
      (await request<{ data: SharedConversation }>(`/api/shared/${encodeURIComponent(shareId)}`, { signal }))
        .data,
    retry: false,
  });
