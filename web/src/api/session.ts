/** Who is signed in, and what this server allows people to do. */
import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { request } from './request.ts';

export interface SessionUser {
  readonly account_id: number;
  readonly email: string;
  readonly name: string;
  readonly is_admin: boolean;
  readonly has_password: boolean;
  readonly created_at: string;
  readonly balance_usd: number;
  readonly held_usd: number;
  readonly session_id: string;
  readonly session_expires_at: string;
}

export interface ServerFacts {
  readonly version: string;
  readonly public_url: string;
  readonly sign_up_mode: 'open' | 'approval' | 'invite';
  readonly has_smtp: boolean;
  readonly oidc: { readonly name: string } | null;
  readonly password_length_min: number;
  readonly password_length_max: number;
}

export interface Session {
  readonly user: SessionUser | null;
  readonly server: ServerFacts;
}

export const sessionKey = ['session'] as const;

export const sessionQuery = queryOptions({
  queryKey: sessionKey,
  queryFn: ({ signal }) => request<Session>('/api/session', { signal }),
  staleTime: 30_000,
});

/** The session, or undefined until it is known; pages below the shell always know it. */
export function useSession(): Session | undefined {
  return useQuery(sessionQuery).data;
}

/** The signed-in person. For views behind sign-in only: throws where there is nobody. */
export function useUser(): SessionUser {
  const user = useSession()?.user;
  if (user === undefined || user === null)
    throw new Error('useUser in a view that does not demand a session');
  return user;
}

/** Call after anything that changes money or the person: the balance in the side bar is asked for again. */
export function useRefreshSession(): () => Promise<void> {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: sessionKey });
}
