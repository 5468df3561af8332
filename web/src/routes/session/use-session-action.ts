import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ApiFailure, failureOf } from '../../api/api-failure.ts';
import { request } from '../../api/request.ts';
import { sessionKey } from '../../api/session.ts';

interface SessionAction<Body> {
  /** Below `/api/auth/`. */
  readonly action: 'sign-in' | 'sign-up' | 'forgot-password' | 'reset-password';
  /** `state` is the server's word for what happened. The session is known anew before this runs. */
  onDone(state: string, body: Body): void;
}

/** One of the session's forms: sends it, and tells the failure of each field apart from that of the whole. */
export function useSessionAction<Body extends object>({ action, onDone }: SessionAction<Body>) {
  const client = useQueryClient();
  const mutation = useMutation({
    mutationFn: (body: Body) => request<{ state: string }>(`/api/auth/${action}`, { method: 'POST', body }),
    onSuccess: async ({ state }, body) => {
      if (state === 'signed_in') await client.refetchQueries({ queryKey: sessionKey });
      onDone(state, body);
    },
  });
  const { error } = mutation;
  const failure = error instanceof ApiFailure ? error : undefined;
  return {
    send: mutation.mutate,
    isBusy: mutation.isPending,
    /** What is wrong with one field. */
    errorOf: (param: string): string | undefined => failureOf(error, param),
    /** What is wrong with none of `params`. */
    errorBesides: (...params: readonly string[]): Error | undefined =>
      failure?.param !== undefined && params.includes(failure.param) ? undefined : (error ?? undefined),
  };
}
