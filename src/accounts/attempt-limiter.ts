/** Counts what strangers may try, in the database: replicas count together, and a restart forgets nothing. */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { ApiError } from '../errors.ts';
import { type Store, statement } from '../store/store.ts';

export interface AttemptRule {
  /** What is tried, e.g. `sign-in`. */
  readonly action: string;
  readonly attemptsMax: number;
  readonly windowMs: number;
}

export interface AttemptLimiter {
  /**
   * Counts one attempt of `subject` (an address, hashed before it is kept). Throws ApiError `rate_limit_reached`
   * when there were too many in this window; the attempt counts all the same.
   */
  take(rule: AttemptRule, subject: string): Promise<void>;
  /** Forgets the attempts, after one that succeeded. */
  clear(rule: AttemptRule, subject: string): Promise<void>;
}

export function createAttemptLimiter(store: Store, now: () => number = Date.now): AttemptLimiter {
  return {
    take: async (rule, subject) => {
      const at = now();
      const { count, windowEndsAt } = await countAttempt(store, nameOf(rule, subject), {
        at,
        windowEndsAt: at + rule.windowMs,
      });
      if (count <= rule.attemptsMax) return;
      const minutes = Math.max(1, Math.ceil((windowEndsAt - at) / 60_000));
      throw new ApiError('rate_limit_reached', {
        // In words as well: the header says 60 seconds at most.
        message: `Too Many Requests: there were too many attempts. Try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`,
        retryAfterSeconds: (windowEndsAt - at) / 1_000,
      });
    },
    clear: async (rule, subject) => {
      await store.commit([statement('delete from attempts where name = ?', [nameOf(rule, subject)])], {
        durability: 'lazy',
      });
    },
  };
}

/** One statement decides, so that attempts at the same moment are counted one by one. */
async function countAttempt(
  store: Store,
  name: string,
  window: { readonly at: number; readonly windowEndsAt: number },
): Promise<{ readonly count: number; readonly windowEndsAt: number }> {
  const { at, windowEndsAt } = window;
  const done = await store.commit(
    [
      statement('delete from attempts where window_ends_at <= ?', [at]),
      statement(
        `insert into attempts (name, count, window_ends_at) values (?, 1, ?)
         on conflict (name) do update set count = attempts.count + 1
         returning count, window_ends_at`,
        [name, windowEndsAt],
      ),
    ],
    { durability: 'lazy' },
  );
  const row = done.isCommitted ? done.results[1]?.rows[0] : undefined;
  // Both columns are integers of ours; a missing row would be a defect, and then nobody gets in.
  if (row === undefined) throw new Error('an attempt was not counted');
  return { count: Number(row.count), windowEndsAt: Number(row.window_ends_at) };
}

/** Hashed: addresses of mail and of networks are nobody's business in a table that is read at leisure. */
function nameOf(rule: AttemptRule, subject: string): string {
  return `${rule.action}:${createHash('sha256').update(subject.toLowerCase()).digest('base64url')}`;
}

/** Whom to count: an IPv6 client owns its whole /64, and could take another address for every attempt. */
export function networkOf(ipAddress: string): string {
  if (!isIPv6(ipAddress)) return ipAddress;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ipAddress)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = ipAddress.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
