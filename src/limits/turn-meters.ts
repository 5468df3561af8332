/** From a caller's limits to the meters of a turn, and from a refusal to its text. */
import type { Caller, RateLimits } from '../chat/types.ts';
import { ApiError } from '../errors.ts';
import type { LimitMeter, MeterKind, MeterReading } from './limit-counters.ts';
import type { RateLimitWindow } from './rate-limit-state.ts';

type LimitName = 'requests' | 'tokens' | 'day-tokens' | 'concurrency';

/** One limit of the key or of the account. */
export interface TurnMeter extends LimitMeter {
  readonly limitName: LimitName;
  readonly owner: 'key' | 'account';
  /** The key's or the account's number. */
  readonly ownerId: number;
}

const kinds: Readonly<Record<LimitName, MeterKind>> = {
  requests: 'minute',
  tokens: 'minute',
  'day-tokens': 'day',
  concurrency: 'lease',
};

const limitOf: Readonly<Record<LimitName, (limits: RateLimits) => number | undefined>> = {
  requests: ({ requestsPerMinute }) => requestsPerMinute,
  tokens: ({ tokensPerMinute }) => tokensPerMinute,
  'day-tokens': ({ tokensPerDay }) => tokensPerDay,
  concurrency: ({ concurrency }) => concurrency,
};

/** The meters of these limits that the key or the account has. */
export function listMeters(
  { accountId, keyId, rateLimits }: Caller,
  limitNames: readonly LimitName[],
  amount: number,
): readonly TurnMeter[] {
  const owners = [
    { owner: 'account', ownerId: accountId, limits: rateLimits?.account },
    { owner: 'key', ownerId: keyId, limits: rateLimits?.key },
  ] as const;
  return limitNames.flatMap((limitName) =>
    owners.flatMap(({ owner, ownerId, limits }) => {
      const limit = limits === undefined ? undefined : limitOf[limitName](limits);
      if (limit === undefined) return [];
      const name = `${owner[0]}${ownerId}:${limitName}`;
      return [{ name, kind: kinds[limitName], limit, amount, limitName, owner, ownerId }];
    }),
  );
}

/** Throws ApiError `request_exceeds_rate_limit` when one request alone is more than a limit ever allows. */
export function refuseOversized(caller: Caller, meters: readonly TurnMeter[]): void {
  const meter = meters.find(({ amount, limit }) => amount > limit);
  if (meter === undefined) return;
  const limitName = meter.limitName === 'day-tokens' ? 'TPD' : 'TPM';
  throw new ApiError('request_exceeds_rate_limit', {
    message: `${describeAccount(caller)} request reached ${limitName} rate limit, current:0, limit:${meter.limit}. This request alone needs ${meter.amount} tokens (prompt and longest output): lower \`max_tokens\` or shorten the prompt. ${describeOwner(meter)}`,
    param: 'max_tokens',
  });
}

/** The refusal in Moonshot's words (protocol sheet 1.6), with a sentence about whose limit it is. */
export function describeRefusal(
  caller: Caller,
  {
    meter,
    reading,
    waitMs,
  }: { readonly meter: TurnMeter; readonly reading: MeterReading; readonly waitMs: number },
): ApiError {
  // Clients take a wait over a minute as none; whoever comes back earlier than the limit is told so again.
  const retryAfterSeconds = Math.min(60, Math.max(1, Math.ceil(waitMs / 1000)));
  const after = `please try again after ${retryAfterSeconds} seconds`;
  const reached = `${describeAccount(caller)} request reached`;
  const texts: Readonly<Record<LimitName, string>> = {
    requests: `max request: ${meter.limit}, ${after}`,
    concurrency: `max concurrency: ${meter.limit}, ${after}`,
    tokens: `TPM rate limit, current:${reading.used}, limit:${meter.limit}, ${after}`,
    'day-tokens': `TPD rate limit, current:${reading.used}, limit:${meter.limit}, the day ends in ${Math.ceil(waitMs / 60_000)} minutes (00:00 UTC)`,
  };
  return new ApiError('rate_limit_reached', {
    message: `${reached} ${texts[meter.limitName]}. ${describeOwner(meter)}`,
    retryAfterSeconds,
  });
}

/** The window with the least left; `taken` is what this request has just added. */
export function findTightest(
  meters: readonly TurnMeter[],
  readings: readonly MeterReading[],
  { limitName, isTaken }: { readonly limitName: LimitName; readonly isTaken: boolean },
): RateLimitWindow | undefined {
  let tightest: RateLimitWindow | undefined;
  for (const [position, { limit, amount, ...meter }] of meters.entries()) {
    const reading = readings[position];
    if (meter.limitName !== limitName || reading === undefined) continue;
    const remaining = Math.max(0, limit - reading.used - (isTaken ? amount : 0));
    if (tightest !== undefined && tightest.remaining <= remaining) continue;
    // A second leaves when 60 whole ones are over, so after up to 61; clients know a minute.
    const backMs = reading.backMs === 0 && isTaken ? minuteMs : reading.backMs;
    tightest = { limit, remaining, resetMs: Math.min(minuteMs, backMs) };
  }
  return tightest;
}

const minuteMs = 60_000;

const describeAccount = ({ accountId, keyPrefix }: Caller): string =>
  `Your account ${accountId}<${keyPrefix}>`;

const describeOwner = ({ owner }: TurnMeter): string =>
  owner === 'key'
    ? 'This is the limit of the API key.'
    : 'This is the limit of the account, over all its keys.';
