/**
 * Forgotten passwords. With SMTP the link goes to its owner by mail; without it the request waits in a list, and an
 * administrator hands the link over, having made sure who asks.
 */
import { randomBytes } from 'node:crypto';
import { ApiError } from '../errors.ts';
import { type Store, statement } from '../store/store.ts';
import { callAuth, type WebClient } from './auth-calls.ts';
import { resetTokenSeconds } from './auth-constants.ts';
import type { Auth } from './create-auth.ts';
import type { Mailer } from './mailer.ts';

export interface ResetLink {
  readonly url: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface ResetRequest {
  readonly accountId: number;
  readonly email: string;
  readonly requestedAt: number;
}

export interface PasswordResets {
  /**
   * Somebody forgot the password of this address. Answers before anything is looked up: the time that the database and
   * the mail server take would tell which addresses are known here.
   */
  ask(email: string, client: WebClient): void;
  /** What better-auth calls then, when the address is somebody's of this server. */
  send(user: { readonly id: string; readonly email: string }, token: string): Promise<void>;
  /** A link for this account, whoever asked. Throws ApiError `not_found`. */
  createLink(accountId: number): Promise<ResetLink>;
  /** Who asked and was given no link yet, oldest first. */
  listRequests(): Promise<readonly ResetRequest[]>;
  /** False: there is no such request. */
  closeRequest(accountId: number): Promise<boolean>;
  /** The password of this address was set: links that were made before would set it again. */
  endLinks(email: string): Promise<void>;
  /** Resolves when everything that was asked is done. */
  settle(): Promise<void>;
}

export interface PasswordResetOptions {
  readonly store: Store;
  readonly mailer: Mailer | undefined;
  readonly now: () => number;
  publicUrl(): string;
  openAuth(): Promise<Auth>;
  /** Told when a link could not be made or mailed; the text names no person and no link. */
  onResetError(error: unknown): void;
}

export function createPasswordResets(options: PasswordResetOptions): PasswordResets {
  const { store, mailer, now } = options;
  const running = new Set<Promise<void>>();
  const settle = async (): Promise<void> => {
    await Promise.all(running);
  };
  const ask = async (email: string, client: WebClient): Promise<void> => {
    await callAuth(await options.openAuth(), { path: '/request-password-reset', body: { email }, client });
  };
  return {
    ask: (email, client) => {
      const asked = ask(email, client).catch(options.onResetError);
      running.add(asked);
      void asked.finally(() => running.delete(asked));
    },
    send: async (user, token) => {
      const mail = { to: user.email, ...describeReset(linkOf(options.publicUrl(), token)) };
      const sent = mailer === undefined ? openRequest(store, user.id, now()) : mailer.send(mail);
      // Not left to better-auth, which would swallow the failure.
      await sent.catch(options.onResetError);
    },
    createLink: async (accountId) => {
      const account = await store.db
        .selectFrom('accounts')
        .select('owner_user_id')
        .where('id', '=', accountId)
        .executeTakeFirst();
      if (account === undefined) throw new ApiError('not_found');
      const token = randomBytes(24).toString('base64url');
      const expiresAt = now() + resetTokenSeconds * 1_000;
      const { internalAdapter } = await (await options.openAuth()).$context;
      await internalAdapter.createVerificationValue({
        identifier: `reset-password:${token}`,
        value: account.owner_user_id,
        expiresAt: new Date(expiresAt),
      });
      await closeRequest(store, accountId);
      return { url: linkOf(options.publicUrl(), token), expiresAt };
    },
    listRequests: async () => {
      // What was asked a moment ago belongs to it; only a mail would take long.
      if (mailer === undefined) await settle();
      return await listRequests(store);
    },
    closeRequest: async (accountId) => await closeRequest(store, accountId),
    endLinks: async (email) => await endLinks(store, email),
    settle,
  };
}

/** In the fragment's place stands a query: the page sends no referrer, and reads the token once. */
function linkOf(publicUrl: string, token: string): string {
  return `${publicUrl}/app/reset-password?token=${encodeURIComponent(token)}`;
}

function describeReset(url: string): { readonly subject: string; readonly text: string } {
  return {
    subject: 'A new password for Perigee',
    text:
      'Somebody, probably you, asked for a new password. Set it within an hour here:\n\n' +
      `${url}\n\nIf it was not you, do nothing: the old password stays.\n`,
  };
}

/** Of better-auth's verifications only the links of resets have a person's id as their value. */
async function endLinks(store: Store, email: string): Promise<void> {
  await store.commit([
    statement('delete from auth_verifications where value in (select id from auth_users where email = ?)', [
      email,
    ]),
  ]);
}

async function openRequest(store: Store, userId: string, at: number): Promise<void> {
  await store.commit([
    statement(
      `insert into reset_requests (account_id, requested_at)
       select id, ? from accounts where owner_user_id = ?
       on conflict (account_id) do update set requested_at = excluded.requested_at`,
      [at, userId],
    ),
  ]);
}

async function listRequests(store: Store): Promise<readonly ResetRequest[]> {
  const rows = await store.db
    .selectFrom('reset_requests')
    .innerJoin('accounts', 'accounts.id', 'reset_requests.account_id')
    .innerJoin('auth_users', 'auth_users.id', 'accounts.owner_user_id')
    .select(['account_id', 'email', 'requested_at'])
    .orderBy('requested_at')
    .execute();
  return rows.map((row) => ({ accountId: row.account_id, email: row.email, requestedAt: row.requested_at }));
}

async function closeRequest(store: Store, accountId: number): Promise<boolean> {
  const closed = await store.db
    .deleteFrom('reset_requests')
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return closed.numDeletedRows > 0n;
}
