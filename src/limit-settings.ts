/** Settings of rate limits and of the Redis that server processes may share (docs/limits.md, docs/replicas.md). */
import { z } from 'zod';
import { integer, type Setting, setting } from './setting.ts';

/** Whoever wants less than one request sets no key. */
const limit = () => integer(1, 1_000_000_000_000).optional();

const whatHolds = 'An administrator’s default and limits of a single account replace it (docs/limits.md).';

export const limitSettings = {
  requestsPerMinute: setting({
    schema: limit(),
    description: `Requests that an account may send in any 60 seconds. ${whatHolds}`,
    defaultText: 'unlimited',
    flag: { scope: 'rare', value: 'number' },
  }),
  tokensPerMinute: setting({
    schema: limit(),
    description: `Tokens, prompt without what is cached and output, of an account in any 60 seconds. ${whatHolds}`,
    defaultText: 'unlimited',
    flag: { scope: 'rare', value: 'tokens' },
  }),
  tokensPerDay: setting({
    schema: limit(),
    description: `The same tokens from 00:00 UTC to 24:00. ${whatHolds}`,
    defaultText: 'unlimited',
    flag: { scope: 'rare', value: 'tokens' },
  }),
  concurrentRequests: setting({
    schema: limit(),
    description: `Requests of an account that may run at the same time. ${whatHolds}`,
    defaultText: 'unlimited',
    flag: { scope: 'rare', value: 'number' },
  }),
  redisUrl: setting({
    schema: z
      .string()
      .regex(/^rediss?:\/\//, 'must start with redis:// or, for TLS, rediss://')
      .optional(),
    description:
      'Redis or Valkey in which server processes count rate limits together; when it is away, they count in the database.',
    defaultText: 'none: limits are counted in PostgreSQL, or in memory with SQLite',
    environmentAliases: ['REDIS_URL'],
    isSecret: true,
  }),
  redisKeyPrefix: setting({
    schema: z.string().max(100).default('perigee:'),
    description: 'Begins every key in Redis, so that several installations can share one.',
    flag: { scope: 'rare', value: 'text' },
  }),
} as const satisfies Record<string, Setting>;
