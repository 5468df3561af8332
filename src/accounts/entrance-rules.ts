/** Who may come in, and with what. The numbers are argued in docs/decisions/0012-people.md. */
import type { AttemptRule } from './attempt-limiter.ts';

/** `approval`: a new account waits for an administrator; `invite`: only with a link that one made. */
export const signUpModes = ['open', 'approval', 'invite'] as const;
export type SignUpMode = (typeof signUpModes)[number];

const minute = 60_000;

/** From one network: a household or an office shares it, so it is generous. */
export const anyAttemptRule: AttemptRule = { action: 'entrance', attemptsMax: 60, windowMs: 10 * minute };
/** Of one person from one network: somebody guesses, or somebody forgot. */
export const passwordRule: AttemptRule = { action: 'password', attemptsMax: 10, windowMs: 15 * minute };
/** Of one person from everywhere (NIST SP 800-63B, 5.2.2: at most 100); high, or strangers could lock people out. */
export const personRule: AttemptRule = { action: 'person', attemptsMax: 100, windowMs: 60 * minute };
/** Mails or requests to one address, so that nobody's mailbox is flooded. */
export const resetRule: AttemptRule = { action: 'reset', attemptsMax: 5, windowMs: 60 * minute };
/** New accounts from one network. */
export const signUpRule: AttemptRule = { action: 'sign-up', attemptsMax: 10, windowMs: 60 * minute };
/** Accounts that may wait for approval at once: strangers fill no database. */
export const waitingAccountsMax = 1_000;
