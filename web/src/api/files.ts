/** The account's files: `/v1/files`. */
import { queryOptions } from '@tanstack/react-query';
import { readFailure } from './api-failure.ts';
import { request } from './request.ts';

export interface StoredFile {
  readonly id: string;
  readonly bytes: number;
  /** Seconds since 1970. */
  readonly created_at: number;
  readonly filename: string;
  readonly status: 'ready' | 'ok' | 'error';
  readonly status_details: string | null;
}

export const filesKey = ['files'] as const;

export const filesQuery = queryOptions({
  queryKey: filesKey,
  queryFn: async ({ signal }) =>
    (await request<{ data: readonly StoredFile[] }>('/v1/files', { signal })).data,
});

/** The text that was taken out of a file, as it is pasted into a prompt. */
export const fileContentQuery = (id: string) =>
  queryOptions({
    queryKey: [...filesKey, id, 'content'],
    queryFn: ({ signal }) => request<{ readonly content: string }>(`/v1/files/${id}/content`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** Stores a file and takes its text out. Throws ApiFailure with the server's reason. */
export async function uploadFile(file: File): Promise<void> {
  const form = new FormData();
  form.append('purpose', 'file-extract');
  form.append('file', file);
  const response = await fetch('/v1/files', {
    method: 'POST',
    headers: { 'x-perigee-csrf': '1' },
    body: form,
  });
  if (!response.ok) throw await readFailure(response);
}

export const deleteFile = async (id: string): Promise<void> => {
  await request(`/v1/files/${id}`, { method: 'DELETE' });
};
