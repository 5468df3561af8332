import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiFailure } from './api-failure.ts';
import { sessionKey } from './session.ts';

/** A failure that the same request cannot overcome by itself. */
const isFinal = (error: unknown): boolean =>
  error instanceof ApiFailure && error.status >= 400 && error.status < 500 && error.status !== 429;

/** The cache of what the server said. A session that ended elsewhere is noticed with the next answer. */
export function createQueryClient(): QueryClient {
  const noticeLostSession = (error: unknown): void => {
    if (error instanceof ApiFailure && error.code === 'not_signed_in') {
      void client.invalidateQueries({ queryKey: sessionKey });
    }
  };
  const client = new QueryClient({
    queryCache: new QueryCache({ onError: noticeLostSession }),
    mutationCache: new MutationCache({ onError: noticeLostSession }),
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        retry: (failureCount, error) => failureCount < 2 && !isFinal(error),
        refetchOnWindowFocus: true,
      },
      mutations: { retry: false },
    },
  });
  return client;
}
