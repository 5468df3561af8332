/**
 * The ways in and out of the web app: sign-up, sign-in, passwords and the OIDC provider. Every way is counted, and
 * none tells a stranger which addresses are known here.
 */
import { z } from 'zod';
import { ApiError, errorCatalogue } from '../errors.ts';
import { type AttemptLimiter, networkOf } from './attempt-limiter.ts';
import { type AuthAnswer, askAuth, callAuth, type WebClient } from './auth-calls.ts';
import { oidcProviderId } from './auth-constants.ts';
import type { Auth } from './create-auth.ts';
import { anyAttemptRule, resetRule, signUpRule } from './entrance-rules.ts';
import type { Invites } from './invites.ts';
import type { CountPassword } from './password-attempts.ts';
import type { PasswordResets } from './password-resets.ts';
import type { SignUp, SignUps } from './sign-up.ts';

/** `Set-Cookie` lines that go to the browser. */
export type SetCookies = readonly string[];

export interface Entrance {
  /** Signs in as well, unless the account waits for approval. Throws as `SignUps.create`, and when there were too many. */
  signUp(
    signUp: SignUp,
    client: WebClient,
  ): Promise<{ readonly state: 'signed_in' | 'awaits_approval'; readonly setCookies: SetCookies }>;
  /**
   * Throws ApiError `sign_in_failed` (unknown or wrong, one answer), `account_disabled` or
   * `account_awaits_approval` (after the right password), `rate_limit_reached`.
   */
  signIn(
    person: { readonly email: string; readonly password: string; readonly isRemembered: boolean },
    client: WebClient,
  ): Promise<SetCookies>;
  signOut(client: WebClient): Promise<SetCookies>;
  /** The same for known and unknown addresses, and as quick. */
  forgotPassword(email: string, client: WebClient): Promise<void>;
  /** Ends all sessions and other links of the person. Throws ApiError `reset_link_invalid`. */
  resetPassword(
    reset: { readonly token: string; readonly password: string },
    client: WebClient,
  ): Promise<void>;
  /**
   * Ends the person's other sessions and all reset links; this one goes on under new cookies. Throws ApiError
   * `sign_in_failed`, and `invalid_request` when there is no password yet.
   */
  changePassword(
    change: { readonly currentPassword: string; readonly newPassword: string; readonly email: string },
    client: WebClient,
  ): Promise<SetCookies>;
  /**
   * Where the browser must go to sign in at the provider; an invite lets a new person in when they come back. Throws
   * ApiError `not_found` when there is no provider, `oidc_unavailable` when it was never reached, `invite_invalid`.
   */
  startOidc(
    start: { readonly returnTo: string; readonly inviteToken: string | undefined },
    client: WebClient,
  ): Promise<{ readonly url: string; readonly setCookies: SetCookies }>;
  /** Where the browser goes after the provider sent it back: into the app, or to the sign-in page with an error. */
  finishOidc(query: string, client: WebClient): Promise<OidcReturn & { readonly setCookies: SetCookies }>;
}

export interface EntranceOptions {
  readonly attempts: AttemptLimiter;
  readonly countPassword: CountPassword;
  readonly invites: Invites;
  readonly signUps: SignUps;
  readonly resets: Pick<PasswordResets, 'ask' | 'endLinks'>;
  readonly hasOidc: boolean;
  openAuth(): Promise<Auth>;
}

export interface OidcReturn {
  /** A path of this server. */
  readonly location: string;
  /** Why nobody is signed in: a code for the log, of the provider (RFC 6749 4.1.2.1), of better-auth or of ours. */
  readonly failure: string | undefined;
}

const urlSchema = z.object({ url: z.string() });

export function createEntrance(options: EntranceOptions): Entrance {
  const { attempts, countPassword, invites, signUps, resets, hasOidc, openAuth } = options;
  const signIn: Entrance['signIn'] = async ({ email, password, isRemembered }, client) => {
    const forgetAttempts = await countPassword(email, client);
    const body = { email, password, rememberMe: isRemembered };
    const { setCookies } = await callAuth(await openAuth(), { path: '/sign-in/email', body, client });
    await forgetAttempts();
    return setCookies;
  };
  return {
    signUp: async (signUp, client) => {
      await attempts.take(signUpRule, networkOf(client.ipAddress));
      const state = await signUps.create(signUp);
      if (state === 'awaits_approval') return { state, setCookies: [] };
      return { state: 'signed_in', setCookies: await signIn({ ...signUp, isRemembered: true }, client) };
    },
    signIn,
    signOut: async (client) =>
      (await callAuth(await openAuth(), { path: '/sign-out', body: {}, client })).setCookies,
    forgotPassword: async (email, client) => {
      await attempts.take(anyAttemptRule, networkOf(client.ipAddress));
      await attempts.take(resetRule, email);
      resets.ask(email, client);
    },
    resetPassword: async ({ token, password }, client) => {
      await attempts.take(anyAttemptRule, networkOf(client.ipAddress));
      const body = { token, newPassword: password };
      await callAuth(await openAuth(), { path: '/reset-password', body, client });
    },
    changePassword: async ({ currentPassword, newPassword, email }, client) => {
      const forgetAttempts = await countPassword(email, client);
      const body = { currentPassword, newPassword, revokeOtherSessions: true };
      const { setCookies } = await callAuth(await openAuth(), { path: '/change-password', body, client });
      await resets.endLinks(email);
      await forgetAttempts();
      return setCookies;
    },
    startOidc: async ({ returnTo, inviteToken }, client) => {
      if (!hasOidc) throw new ApiError('not_found', { message: 'This server has no other way to sign in.' });
      await attempts.take(anyAttemptRule, networkOf(client.ipAddress));
      const invite = inviteToken === undefined ? undefined : await invites.findOpen(inviteToken);
      if (inviteToken !== undefined && invite === undefined) throw new ApiError('invite_invalid');
      const body = {
        provider: oidcProviderId,
        callbackURL: returnTo,
        errorCallbackURL: '/app/sign-in',
        // Kept in the database until the answer comes: the number, because the token itself would open something.
        additionalData: { inviteId: invite?.id },
      };
      const answer = await callAuth(await openAuth(), { path: '/sign-in/social', body, client });
      return { url: urlSchema.parse(answer.body).url, setCookies: answer.setCookies };
    },
    finishOidc: async (query, client) => {
      if (!hasOidc) throw new ApiError('not_found', { message: 'This server has no other way to sign in.' });
      const path = `/callback/${oidcProviderId}?${query}`;
      const answer = await askAuth(await openAuth(), { method: 'GET', path, client });
      return { ...judgeReturn(answer), setCookies: answer.setCookies };
    },
  };
}

const refusalSchema = z.object({ code: z.string() });

/**
 * better-auth redirects on success and on most failures; a refusal of our hooks is an error answer. Only a path of
 * this server leaves here: whatever the provider or the query said, nobody is sent elsewhere.
 */
function judgeReturn(answer: Pick<AuthAnswer, 'status' | 'location' | 'body'>): OidcReturn {
  const refusal = refusalSchema.safeParse(answer.body);
  if (refusal.success) return failedSignIn(refusal.data.code);
  if (answer.location === undefined) return failedSignIn(`status_${answer.status}`);
  const target = new URL(answer.location, 'http://this-server');
  const error = target.searchParams.get('error');
  if (error !== null) return failedSignIn(error);
  const location = `${target.pathname.replace(/^\/+/, '/')}${target.search}${target.hash}`;
  return { location, failure: undefined };
}

/** Whoever forges a return writes its error: nothing but the form of a code is let into the log. */
const causePattern = /^[\w.-]{1,64}$/;

function failedSignIn(code: string): OidcReturn {
  const known = Object.hasOwn(errorCatalogue, code);
  const shown = code === 'account_not_linked' ? 'oidc_email_taken' : 'oidc_failed';
  return {
    location: `/app/sign-in?error=${known ? code : shown}`,
    failure: causePattern.test(code) ? code : 'unreadable',
  };
}
