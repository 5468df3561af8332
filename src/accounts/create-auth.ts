/**
 * better-auth as we use it: passwords, sessions and OIDC over our own tables. Nothing of it is reachable by itself:
 * `auth-calls.ts` calls the few of its endpoints that we need, and `entrance.ts` says who may come in.
 */
import { betterAuth } from 'better-auth';
import { APIError, getOAuthState } from 'better-auth/api';
import { genericOAuth } from 'better-auth/plugins/generic-oauth';
import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { clientAddressHeader, oidcProviderId, resetTokenSeconds } from './auth-constants.ts';
import { authModels } from './auth-models.ts';
import { passwordLength } from './password-length.ts';

/** A generic OIDC provider (`/.well-known/openid-configuration` under the issuer). */
export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Shown on the button. */
  readonly name: string;
}

export interface AuthOptions {
  readonly store: Store;
  /** What cookies are signed with; at least 32 characters, the same in all replicas. */
  readonly secret: string;
  /** Origin under which people reach this server; https makes the cookies `Secure`. */
  readonly publicUrl: string;
  readonly oidc: OidcSettings | undefined;
  /** Before a provider's new user is written. A code refuses them. `inviteId`: they came by this invite's link. */
  admitNewUser(
    user: { readonly email: string; readonly emailVerified: boolean },
    inviteId: number | undefined,
  ): Promise<ErrorCode | undefined>;
  /** Before any session is made, whatever the way in. A code refuses it. */
  admitSession(userId: string, inviteId: number | undefined): Promise<ErrorCode | undefined>;
  /** Somebody of this server forgot their password. */
  sendReset(user: { readonly id: string; readonly email: string }, token: string): Promise<void>;
  /** They have set another one. */
  onPasswordReset(email: string): Promise<void>;
}

const sessionSeconds = 7 * 86_400;
const sessionRenewedAfterSeconds = 86_400;
export type Auth = ReturnType<typeof createAuth>;

export function createAuth(options: AuthOptions) {
  return betterAuth({
    ...authModels,
    appName: 'Perigee',
    database: { db: options.store.db, type: options.store.kind },
    baseURL: options.publicUrl,
    basePath: '/api/auth',
    secret: options.secret,
    emailAndPassword: {
      enabled: true,
      // An account is more than a user: sign-up is ours, in one transaction (`sign-up.ts`).
      disableSignUp: true,
      minPasswordLength: passwordLength.min,
      maxPasswordLength: passwordLength.max,
      revokeSessionsOnPasswordReset: true,
      resetPasswordTokenExpiresIn: resetTokenSeconds,
      sendResetPassword: async ({ user, token }) => await options.sendReset(user, token),
      onPasswordReset: async ({ user }) => await options.onPasswordReset(user.email),
    },
    session: {
      ...authModels.session,
      expiresIn: sessionSeconds,
      updateAge: sessionRenewedAfterSeconds,
    },
    // A copy of the database does not hold links that work.
    verification: { ...authModels.verification, storeIdentifier: 'hashed' },
    plugins: options.oidc === undefined ? [] : [genericOAuth({ config: [encodeProvider(options.oidc)] })],
    databaseHooks: createHooks(options),
    // Ours counts over all replicas and per address of mail (`attempt-limiter.ts`).
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    // Its lines would name people; what fails reaches our log as the answer of a request.
    logger: { disabled: true },
    onAPIError: { errorURL: `${options.publicUrl}/app/sign-in` },
    advanced: {
      cookiePrefix: 'perigee',
      useSecureCookies: options.publicUrl.startsWith('https://'),
      ipAddress: { ipAddressHeaders: [clientAddressHeader] },
    },
  });
}

function encodeProvider(oidc: OidcSettings) {
  return {
    providerId: oidcProviderId,
    name: oidc.name,
    clientId: oidc.clientId,
    clientSecret: oidc.clientSecret,
    discoveryUrl: `${oidc.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    scopes: ['openid', 'email', 'profile'],
    // Without a signed token the provider's word could be anybody's.
    requireIdTokenVerification: true,
    pkce: true,
  };
}

function createHooks(options: AuthOptions) {
  return {
    user: {
      create: {
        before: async (user: { readonly email: string; readonly emailVerified: boolean }) =>
          refuse(await options.admitNewUser(user, await readInviteId())),
      },
    },
    session: {
      create: {
        before: async (session: { readonly userId: string }) =>
          refuse(await options.admitSession(session.userId, await readInviteId())),
      },
    },
    account: {
      create: {
        // Nobody calls the provider in a person's name, so their tokens are not kept.
        before: async () => ({ data: { accessToken: null, refreshToken: null, idToken: null } }),
      },
    },
  };
}

const statedInvite = z.object({ inviteId: z.int().optional().catch(undefined) }).catch({});

/** What `entrance.ts` put into the state of the provider's dance; undefined in every other request. */
async function readInviteId(): Promise<number | undefined> {
  return statedInvite.parse(await getOAuthState()).inviteId;
}

/** better-auth's hooks end an operation by throwing its own error; ours is found again by its code. */
function refuse(code: ErrorCode | undefined): void {
  if (code !== undefined) throw new APIError('FORBIDDEN', { code, message: code });
}
