/** Sessions of the web app: who is behind a cookie, and what a person sees and ends of their own. */
import type { Store } from '../store/store.ts';
import type { Auth } from './create-auth.ts';

/** A person who is signed in. */
export interface WebSession {
  readonly id: string;
  readonly accountId: number;
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  readonly isAdmin: boolean;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** One of a person's sessions, as they see it. */
export interface SessionSummary {
  readonly id: string;
  readonly createdAt: number;
  readonly lastActiveAt: number;
  readonly expiresAt: number;
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
}

export interface WebSessions {
  /** Undefined: no session, one that has ended, or an account that is disabled (also in mid-session). */
  find(cookie: string): Promise<WebSession | undefined>;
  /** The same; a session that is used stays alive, so the cookies must be passed on. */
  renew(
    cookie: string,
  ): Promise<{ readonly session: WebSession; readonly setCookies: readonly string[] } | undefined>;
  /** Newest first, without those that have expired. */
  list(userId: string): Promise<readonly SessionSummary[]>;
  /** False: the person has no such session. */
  end(userId: string, sessionId: string): Promise<boolean>;
  /** Ends all but one of them; returns how many. */
  endOthers(userId: string, keptSessionId: string): Promise<number>;
  /** Removes what is left of sessions that nobody ended: better-auth does so only when their cookie comes again. */
  forgetExpired(userId: string): Promise<void>;
}

/** Whether a `Cookie` header may hold a session: cheap, so that requests without one cost nothing. */
export function hasSessionCookie(cookie: string | undefined): cookie is string {
  return cookie?.includes('perigee.session_token=') === true;
}

export function createWebSessions(
  store: Store,
  { now, openAuth }: { readonly now: () => number; openAuth(): Promise<Auth> },
): WebSessions {
  const find = async (cookie: string, isRenewed: boolean) => {
    const auth = await openAuth();
    const { response, headers } = await auth.api.getSession({
      headers: new Headers({ cookie }),
      query: { disableRefresh: !isRenewed },
      returnHeaders: true,
    });
    if (response === null) return undefined;
    const { session, user } = response;
    const account = await readAccountOf(store, user.id);
    if (account === undefined || account.disabled_at !== null) return undefined;
    return {
      session: {
        id: session.id,
        accountId: account.id,
        userId: user.id,
        email: user.email,
        name: user.name,
        isAdmin: account.is_admin === 1,
        expiresAt: session.expiresAt.getTime(),
      },
      setCookies: headers.getSetCookie(),
    };
  };
  return {
    find: async (cookie) => (await find(cookie, false))?.session,
    renew: async (cookie) => await find(cookie, true),
    list: async (userId) => await listSessions(store, userId, now()),
    end: async (userId, sessionId) => {
      const ended = await store.db
        .deleteFrom('auth_sessions')
        .where('user_id', '=', userId)
        .where('id', '=', sessionId)
        .executeTakeFirst();
      return ended.numDeletedRows > 0n;
    },
    endOthers: async (userId, keptSessionId) => {
      const ended = await store.db
        .deleteFrom('auth_sessions')
        .where('user_id', '=', userId)
        .where('id', '!=', keptSessionId)
        .executeTakeFirst();
      return Number(ended.numDeletedRows);
    },
    forgetExpired: async (userId) => {
      await store.db
        .deleteFrom('auth_sessions')
        .where('user_id', '=', userId)
        .where('expires_at', '<=', new Date(now()).toISOString())
        .execute();
    },
  };
}

async function readAccountOf(store: Store, userId: string) {
  return await store.db
    .selectFrom('accounts')
    .select(['id', 'is_admin', 'disabled_at'])
    .where('owner_user_id', '=', userId)
    .executeTakeFirst();
}

async function listSessions(store: Store, userId: string, at: number): Promise<readonly SessionSummary[]> {
  const rows = await store.db
    .selectFrom('auth_sessions')
    .select(['id', 'created_at', 'updated_at', 'expires_at', 'ip_address', 'user_agent'])
    .where('user_id', '=', userId)
    .where('expires_at', '>', new Date(at).toISOString())
    .orderBy('created_at', 'desc')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    createdAt: timeOf(row.created_at),
    lastActiveAt: timeOf(row.updated_at),
    expiresAt: timeOf(row.expires_at),
    ipAddress: row.ip_address === '' ? null : row.ip_address,
    userAgent: row.user_agent === '' ? null : row.user_agent,
  }));
}

/** better-auth's times: ISO text on SQLite, dates on PostgreSQL. */
export function timeOf(value: string | Date): number {
  return typeof value === 'string' ? Date.parse(value) : value.getTime();
}
