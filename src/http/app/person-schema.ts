/** What people send about themselves, checked: sign-in forms, passwords, profiles. */
import { z } from 'zod';
import { passwordLength } from '../../accounts/password-length.ts';
import type { Profile } from '../../accounts/profiles.ts';
import type { SessionSummary, WebSession } from '../../accounts/web-sessions.ts';
import { toUsdNumber } from '../../billing/money.ts';
import { encodeTime } from '../encode-time.ts';

/** Lower case: one person has one address however they type it. 254 characters (RFC 5321, errata 1690). */
export const emailField = z
  .string()
  .trim()
  .max(254, 'may have at most 254 characters')
  .toLowerCase()
  .pipe(z.email('is not an e-mail address'));

export const newPasswordField = z
  .string()
  .min(passwordLength.min, `must have at least ${passwordLength.min} characters`)
  .max(passwordLength.max, `may have at most ${passwordLength.max} characters`);

/** Of a password that exists: short ones are wrong, not malformed; long ones would only cost time. */
const givenPasswordField = z.string().max(1_000, 'is too long');

export const nameField = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(100, 'may have at most 100 characters');

const tokenField = z.string().min(1, 'is required').max(200, 'is too long');

export const signUpSchema = z.object({
  email: emailField,
  password: newPasswordField,
  name: nameField.optional(),
  invite: tokenField.optional(),
});

export const signInSchema = z.object({
  email: z.string().trim().max(254, 'may have at most 254 characters').toLowerCase(),
  password: givenPasswordField,
  remember: z.boolean().default(true),
});

export const forgotPasswordSchema = z.object({ email: emailField });

export const resetPasswordSchema = z.object({ token: tokenField, password: newPasswordField });

export const changePasswordSchema = z.object({
  current_password: givenPasswordField,
  new_password: newPasswordField,
});

/** A path of this server: `//host` and `/\host` would lead elsewhere. */
const ownPath = z
  .string()
  .max(2_000, 'is too long')
  .regex(/^\/(?![/\\])[\w\-./?&=%#:@!$'()*+,;~]*$/, 'must be a path of this server such as /app');

export const startOidcSchema = z.object({
  return_to: ownPath.default('/app'),
  invite: tokenField.optional(),
});

export const profileChangeSchema = z.object({
  name: nameField.optional(),
  email: emailField.optional(),
  current_password: givenPasswordField.optional(),
});

export function encodePerson(profile: Profile, session: WebSession) {
  return {
    account_id: profile.accountId,
    email: profile.email,
    name: profile.name,
    is_admin: profile.isAdmin,
    has_password: profile.hasPassword,
    created_at: encodeTime(profile.createdAt),
    balance_usd: toUsdNumber(profile.balanceNanoUsd),
    held_usd: toUsdNumber(profile.heldNanoUsd),
    session_id: session.id,
    session_expires_at: encodeTime(session.expiresAt),
  };
}

export function encodeSession(summary: SessionSummary, currentId: string) {
  return {
    id: summary.id,
    is_current: summary.id === currentId,
    created_at: encodeTime(summary.createdAt),
    last_active_at: encodeTime(summary.lastActiveAt),
    expires_at: encodeTime(summary.expiresAt),
    ip_address: summary.ipAddress,
    user_agent: summary.userAgent,
  };
}
