/** Guesses of a person's password, counted the same wherever one is asked for. */
import { type AttemptLimiter, networkOf } from './attempt-limiter.ts';
import type { WebClient } from './auth-calls.ts';
import { anyAttemptRule, passwordRule, personRule } from './entrance-rules.ts';

/**
 * Counts one guess, before the password is looked at, so that many at the same moment do not slip through; resolves to
 * what must be called when it was right. Throws ApiError `rate_limit_reached`.
 */
export type CountPassword = (email: string, client: WebClient) => Promise<() => Promise<void>>;

export function createPasswordAttempts(attempts: AttemptLimiter): CountPassword {
  return async (email, client) => {
    const network = networkOf(client.ipAddress);
    const personHere = `${email} ${network}`;
    await attempts.take(anyAttemptRule, network);
    await attempts.take(passwordRule, personHere);
    await attempts.take(personRule, email);
    return async () => await attempts.clear(passwordRule, personHere);
  };
}
