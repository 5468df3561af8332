/**
 * People: everything about accounts that a person does with a browser, over one store. API keys and money are other
 * folders' business; better-auth is behind `create-auth.ts`, and loaded when the first person comes.
 */
import type { Store } from '../store/store.ts';
import { createAttemptLimiter } from './attempt-limiter.ts';
import { readAuthSecret } from './auth-secret.ts';
import type { Auth, OidcSettings } from './create-auth.ts';
import { createEntrance, type Entrance } from './entrance.ts';
import type { SignUpMode } from './entrance-rules.ts';
import { createInvites, type Invite, type Invites } from './invites.ts';
import { createMailer, type SmtpSettings } from './mailer.ts';
import { createPasswordAttempts } from './password-attempts.ts';
import { createPasswordResets, type PasswordResets } from './password-resets.ts';
import { createProfiles, type Profiles } from './profiles.ts';
import { createSignUps } from './sign-up.ts';
import { createWebSessions, type WebSessions } from './web-sessions.ts';

export interface PeopleSettings {
  readonly signUpMode: SignUpMode;
  /** INIT entry of each new account. */
  readonly signUpCreditNanoUsd: bigint;
  /** Undefined: drawn once and kept in the database. */
  readonly authSecret: string | undefined;
  readonly smtp: SmtpSettings | undefined;
  readonly oidc: OidcSettings | undefined;
}

export interface PeopleOptions {
  readonly settings: PeopleSettings;
  /** Origin under which people reach this server, e.g. `https://ai.example.org`; asked when the first person comes. */
  publicUrl(): string;
  readonly now?: () => number;
  onResetError(error: unknown): void;
}

export interface People {
  readonly sessions: WebSessions;
  readonly entrance: Entrance;
  readonly profiles: Profiles;
  readonly invites: Invites;
  readonly resets: PasswordResets;
  /** False: there is no mail server, or the invite names no address. Rejects when the mail was not taken. */
  mailInvite(invite: Invite, url: string): Promise<boolean>;
  /** What the sign-in page must know. */
  describe(): PeopleDescription;
  /** Waits for new passwords that are being prepared or mailed. */
  close(): Promise<void>;
}

export interface PeopleDescription {
  readonly publicUrl: string;
  readonly signUpMode: SignUpMode;
  readonly hasSmtp: boolean;
  /** The provider's name; undefined when there is none. */
  readonly oidcName: string | undefined;
}

export function createPeople(store: Store, options: PeopleOptions): People {
  const { settings, publicUrl } = options;
  const now = options.now ?? Date.now;
  const mailer = settings.smtp === undefined ? undefined : createMailer(settings.smtp);
  const invites = createInvites(store, now);
  const signUps = createSignUps(store, invites, {
    mode: settings.signUpMode,
    creditNanoUsd: settings.signUpCreditNanoUsd,
    now,
  });
  let auth: Promise<Auth> | undefined;
  const open = async (): Promise<Auth> => {
    const [{ createAuth }, secret] = await Promise.all([
      import('./create-auth.ts'),
      settings.authSecret ?? readAuthSecret(store),
    ]);
    return createAuth({
      store,
      secret,
      publicUrl: publicUrl(),
      oidc: settings.oidc,
      admitNewUser: signUps.admitNewUser,
      admitSession: async (userId, inviteId) => {
        await sessions.forgetExpired(userId);
        return await signUps.admitSession(userId, inviteId);
      },
      sendReset: resets.send,
      onPasswordReset: resets.endLinks,
    });
  };
  const openAuth = async (): Promise<Auth> => {
    auth ??= open().catch((error: unknown) => {
      // The database was away: the next person tries again.
      auth = undefined;
      throw error;
    });
    return await auth;
  };
  const sessions = createWebSessions(store, { now, openAuth });
  const { onResetError } = options;
  const resets = createPasswordResets({ store, mailer, now, publicUrl, openAuth, onResetError });
  const attempts = createAttemptLimiter(store, now);
  const countPassword = createPasswordAttempts(attempts);
  return {
    sessions,
    entrance: createEntrance({
      attempts,
      countPassword,
      invites,
      signUps,
      resets,
      hasOidc: settings.oidc !== undefined,
      openAuth,
    }),
    profiles: createProfiles(store, { now, countPassword, openAuth }),
    invites,
    resets,
    mailInvite: async ({ email }, url) => {
      if (mailer === undefined || email === null) return false;
      await mailer.send({ to: email, ...describeInvite(url) });
      return true;
    },
    describe: () => ({
      publicUrl: publicUrl(),
      signUpMode: settings.signUpMode,
      hasSmtp: mailer !== undefined,
      oidcName: settings.oidc?.name,
    }),
    close: async () => {
      await resets.settle();
      mailer?.close();
    },
  };
}

function describeInvite(url: string): { readonly subject: string; readonly text: string } {
  return {
    subject: 'You are invited to Perigee',
    text: `An administrator invites you. Make your account here:\n\n${url}\n\nThe link works once.\n`,
  };
}
