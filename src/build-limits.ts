import type { Caller } from './chat/types.ts';
import type { HttpLogger } from './http/http-dependencies.ts';
import { createLimitAdministration, type LimitAdministration } from './limits/limit-administration.ts';
import type { LimitCounters } from './limits/limit-counters.ts';
import { createMemoryCounters } from './limits/memory-counters.ts';
import { createPostgresCounters } from './limits/postgres-counters.ts';
import { readUsedTokens } from './limits/read-used-tokens.ts';
import { openRedisCounters } from './limits/redis-counters.ts';
import { createSharedCounters, type SharedCounters } from './limits/shared-counters.ts';
import { createTurnLimiter, type TurnLimiter } from './limits/turn-limiter.ts';
import type { Config } from './settings.ts';
import type { Store } from './store/store.ts';

/** What keeps the rate limits, over one store. */
export interface Limits {
  readonly limiter: TurnLimiter;
  readonly administration: LimitAdministration;
  /** For the key directory: what holds for a key. */
  readonly readRateLimits: (owner: {
    readonly accountId: number;
    readonly keyId: number;
  }) => Promise<Caller['rateLimits']>;
  /** Resolves when it is known where limits are counted; listen after it. */
  opened(): Promise<void>;
  /** Whether checks are made in Redis now; undefined when no Redis is configured. */
  isRedisUsed(): boolean | undefined;
  /** Call it when the last turn has ended, before the store closes. */
  close(): Promise<void>;
}

export type LimitConfig = Pick<
  Config,
  | 'requestsPerMinute'
  | 'tokensPerMinute'
  | 'tokensPerDay'
  | 'concurrentRequests'
  | 'redisUrl'
  | 'redisKeyPrefix'
>;

export interface LimitOptions {
  readonly config: LimitConfig;
  readonly logger: Pick<HttpLogger, 'info' | 'warn'>;
  /** For tests: milliseconds since 1970; by default the clock of whoever counts. */
  readonly now?: () => number;
}

/** Counts in Redis where one is configured, else where all processes of this database can see it. */
export function buildLimits(store: Store, { config, logger, now }: LimitOptions): Limits {
  const truth = store.kind === 'postgres' ? createPostgresCounters(store, now) : createMemoryCounters(now);
  const shared =
    config.redisUrl === undefined ? undefined : shareThrough(config.redisUrl, { config, truth, logger });
  const counters: LimitCounters = shared ?? truth;
  const limiter = createTurnLimiter({
    counters,
    readUsedTokens: (owner, since) => readUsedTokens(store, owner, since),
    ...(now !== undefined && { now }),
    onError: (error) =>
      logger.warn({ err: error }, 'a rate limit could not be corrected; it corrects itself'),
  });
  const administration = createLimitAdministration(store, {
    configured: {
      requestsPerMinute: config.requestsPerMinute,
      tokensPerMinute: config.tokensPerMinute,
      tokensPerDay: config.tokensPerDay,
      concurrency: config.concurrentRequests,
    },
    ...(now !== undefined && { now }),
  });
  return {
    limiter,
    administration,
    readRateLimits: administration.resolve,
    opened: async () => await shared?.opened(),
    isRedisUsed: () => shared?.isRedisUsed(),
    close: async () => {
      await limiter.close();
      await counters.close();
    },
  };
}

function shareThrough(
  url: string,
  {
    config,
    truth,
    logger,
  }: {
    readonly config: LimitConfig;
    readonly truth: LimitCounters;
    readonly logger: Pick<HttpLogger, 'info' | 'warn'>;
  },
): SharedCounters {
  return createSharedCounters({
    redis: openRedisCounters({ url, keyPrefix: config.redisKeyPrefix }),
    truth,
    onChange: ({ isRedisUsed, error }) => {
      if (isRedisUsed) logger.info({}, 'rate limits are counted in Redis');
      else logger.warn({ err: error }, 'Redis does not answer: rate limits are counted without it');
    },
  });
}
