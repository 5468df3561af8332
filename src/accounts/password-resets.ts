/**
 * Forgotten passwords. With SMTP the link goes to its owner by mail; without it the request waits in a list, and an
 * administrator hands the link over, having made sure who asks.
 */
import { randomBytes } from 'node:crypto';
import { ApiError } from '../errors.ts';
import { type Store, statement } from '../store/store.ts';
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
  /** What better-auth calls when somebody of this server asked; returns at once, whatever the mail server does. */
  send(user: { readonly id: string; readonly email: string }, token: string): Promise<void>;
  /** A link for this account, whoever asked. Throws ApiError `not_found`. */
  createLink(accountId: number): Promise<ResetLink>;
  /** Who asked and was given no link yet, oldest first. */
  listRequests(): Promise<readonly ResetRequest[]>;
  /** False: there is no such request. */
  closeRequest(accountId: number): Promise<boolean>;
  /** Resolves when no mail is on its way. */
  settle(): Promise<void>;
}

export interface PasswordResetOptions {
  readonly store: Store;
  readonly mailer: Mailer | undefined;
  readonly now: () => number;
  publicUrl(): string;
  openAuth(): Promise<Auth>;
  /** Told when a mail could not be sent; the text names no person and no link. */
  onMailError(error: unknown): void;
}

export function createPasswordResets(options: PasswordResetOptions): PasswordResets {
  const { store, mailer, now } = options;
  const sending = new Set<Promise<void>>();
  return {
    send: async (user, token) => {
      if (mailer === undefined) return await openRequest(store, user.id, now());
      const mail = { to: user.email, ...describeReset(linkOf(options.publicUrl(), token)) };
      const sent = mailer.send(mail).catch(options.onMailError);
      sending.add(sent);
      // Not awaited: the time that a mail server takes would tell which addresses are known here.
      void sent.finally(() => sending.delete(sent));
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
    listRequests: async () => await listRequests(store),
    closeRequest: async (accountId) => await closeRequest(store, accountId),
    settle: async () => {
      await Promise.all(sending);
    },
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
