/** What administrators and key owners set: limits per key, per account, and the default of all accounts. */
import type { Selectable } from 'kysely';
import type { Caller, RateLimits } from '../chat/types.ts';
import { ApiError } from '../errors.ts';
import { bumpKeyGeneration } from '../keys/api-keys.ts';
import { type Store, statement } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';

/**
 * One limit as it was set. Null = nothing of its own: an account follows the default, the default follows the
 * configuration, a key is then limited by its account alone.
 */
export type LimitSetting = number | 'unlimited' | null;

export type LimitSettings = { readonly [Name in keyof RateLimits]: LimitSetting };

/** Whose limits: of one key, of one account over all its keys, or of every account without its own. */
export type LimitSubject =
  | { readonly scope: 'default' }
  | { readonly scope: 'account'; readonly accountId: number }
  | { readonly scope: 'key'; readonly keyId: number };

export interface LimitAdministration {
  /** What was set there; null everywhere when nothing was. Does not ask whether the account or key exists. */
  read(subject: LimitSubject): Promise<LimitSettings>;
  /**
   * Sets what is named and leaves the rest; holds in every server process within a second. Throws ApiError
   * `invalid_request` for a number that is not whole or not from 1 to `limitMax`.
   */
  change(subject: LimitSubject, change: Partial<LimitSettings>): Promise<LimitSettings>;
  /** What holds for a turn of this key. Undefined when nothing is limited. */
  resolve(owner: { readonly accountId: number; readonly keyId: number }): Promise<Caller['rateLimits']>;
}

export const limitMax = 1_000_000_000_000;

const columns = {
  requestsPerMinute: 'requests_per_minute',
  tokensPerMinute: 'tokens_per_minute',
  tokensPerDay: 'tokens_per_day',
  concurrency: 'concurrency',
} as const satisfies Record<keyof RateLimits, keyof Tables['rate_limits']>;

const limitNames = Object.keys(columns) as (keyof RateLimits)[]; // The table's own keys; Object.keys widens them.

const unlimitedMark = -1;

/** `configured` holds for accounts when neither they nor the default say anything. */
export function createLimitAdministration(
  store: Store,
  { configured, now = Date.now }: { readonly configured: RateLimits; readonly now?: () => number },
): LimitAdministration {
  const read = async (subject: LimitSubject): Promise<LimitSettings> => {
    const row = await store.db
      .selectFrom('rate_limits')
      .selectAll()
      .where('scope', '=', subject.scope)
      .where('subject_id', '=', subjectIdOf(subject))
      .executeTakeFirst();
    return mapLimits((name) => decodeSetting(row?.[columns[name]] ?? null));
  };
  return {
    read,
    change: async (subject, change) => {
      const changed = limitNames.filter((name) => change[name] !== undefined);
      for (const name of changed) checkSetting(name, change[name] ?? null);
      // Written whole, so that the text of the statement is one; what the change does not name stays.
      await store.commit([
        statement(
          `insert into rate_limits (scope, subject_id, requests_per_minute, tokens_per_minute, tokens_per_day,
             concurrency, updated_at)
           values (?, ?, ?, ?, ?, ?, ?)
           on conflict (scope, subject_id) do update set
             requests_per_minute = case cast(? as bigint) when 1 then excluded.requests_per_minute else rate_limits.requests_per_minute end,
             tokens_per_minute = case cast(? as bigint) when 1 then excluded.tokens_per_minute else rate_limits.tokens_per_minute end,
             tokens_per_day = case cast(? as bigint) when 1 then excluded.tokens_per_day else rate_limits.tokens_per_day end,
             concurrency = case cast(? as bigint) when 1 then excluded.concurrency else rate_limits.concurrency end,
             updated_at = excluded.updated_at`,
          [
            subject.scope,
            subjectIdOf(subject),
            ...limitNames.map((name) => encodeSetting(change[name] ?? null)),
            now(),
            ...limitNames.map((name) => (changed.includes(name) ? 1 : 0)),
          ],
        ),
        bumpKeyGeneration,
      ]);
      return await read(subject);
    },
    resolve: async ({ accountId, keyId }) => {
      const rows = await store.db
        .selectFrom('rate_limits')
        .selectAll()
        .where((where) =>
          where.or([
            where('scope', '=', 'default'),
            where.and([where('scope', '=', 'account'), where('subject_id', '=', accountId)]),
            where.and([where('scope', '=', 'key'), where('subject_id', '=', keyId)]),
          ]),
        )
        .execute();
      const rowOf = (scope: LimitSubject['scope']) => rows.find((row) => row.scope === scope);
      return combine({
        key: limitsFrom([rowOf('key')], undefined),
        account: limitsFrom([rowOf('account'), rowOf('default')], configured),
      });
    },
  };
}

type Row = Selectable<Tables['rate_limits']> | undefined;

/** The first row that says something about a limit decides it. */
function limitsFrom(rows: readonly Row[], otherwise: RateLimits | undefined): RateLimits {
  return mapLimits((name) => {
    const said = rows.map((row) => row?.[columns[name]] ?? null).find((value) => value !== null);
    if (said === undefined) return otherwise?.[name];
    return said === unlimitedMark ? undefined : said;
  });
}

function combine(limits: { readonly key: RateLimits; readonly account: RateLimits }): Caller['rateLimits'] {
  const has = (each: RateLimits): boolean => limitNames.some((name) => each[name] !== undefined);
  if (!has(limits.key) && !has(limits.account)) return undefined;
  return {
    key: has(limits.key) ? limits.key : undefined,
    account: has(limits.account) ? limits.account : undefined,
  };
}

const subjectIdOf = (subject: LimitSubject): number => {
  switch (subject.scope) {
    case 'default':
      return 0;
    case 'account':
      return subject.accountId;
    case 'key':
      return subject.keyId;
    default:
      return subject satisfies never;
  }
};

function mapLimits<Value>(value: (name: keyof RateLimits) => Value): {
  readonly [Name in keyof RateLimits]: Value;
} {
  return {
    requestsPerMinute: value('requestsPerMinute'),
    tokensPerMinute: value('tokensPerMinute'),
    tokensPerDay: value('tokensPerDay'),
    concurrency: value('concurrency'),
  };
}

const decodeSetting = (stored: number | null): LimitSetting =>
  stored === unlimitedMark ? 'unlimited' : stored;
const encodeSetting = (setting: LimitSetting): number | null =>
  setting === 'unlimited' ? unlimitedMark : setting;

function checkSetting(name: keyof RateLimits, setting: LimitSetting): void {
  if (setting === null || setting === 'unlimited') return;
  if (Number.isSafeInteger(setting) && setting >= 1 && setting <= limitMax) return;
  const param = `rate_limits.${columns[name]}`;
  throw new ApiError('invalid_request', {
    message: `Invalid request: ${param}: must be a whole number from 1 to ${limitMax}, "unlimited", or null for no limit of its own`,
    param,
  });
}
