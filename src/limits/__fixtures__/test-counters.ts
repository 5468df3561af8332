/** Every way of counting behind one clock, so that one test is held against all of them. */
import { randomBytes } from 'node:crypto';
import { inject, onTestFinished } from 'vitest';
import { openTestStore } from '../../../test/services/test-stores.ts';
import type { LimitCounters, LimitMeter, LimitTake, MeterKind, TakeAnswer } from '../limit-counters.ts';
import { createMemoryCounters } from '../memory-counters.ts';
import { createPostgresCounters } from '../postgres-counters.ts';
import { openRedisCounters, type RedisCounters } from '../redis-counters.ts';

export const counterKinds = ['memory', 'postgres', 'redis'] as const;

/** 2026-01-02T03:04:05.250Z. */
export const testNowMs = Date.UTC(2026, 0, 2, 3, 4, 5, 250);

export interface TestClock {
  readonly now: () => number;
  advance(ms: number): void;
  set(ms: number): void;
}

export function createTestClock(startMs: number = testNowMs): TestClock {
  let at = startMs;
  return {
    now: () => at,
    advance: (ms) => {
      at += ms;
    },
    set: (ms) => {
      at = ms;
    },
  };
}

export async function openTestCounters(
  kind: (typeof counterKinds)[number],
  now: () => number,
): Promise<LimitCounters> {
  if (kind === 'memory') return createMemoryCounters(now);
  if (kind === 'postgres') return createPostgresCounters(await openTestStore('postgres'), now);
  return await openTestRedis({ url: inject('redisUrl'), now });
}

/** Keys of its own, and connected. */
export async function openTestRedis(options: {
  readonly url: string;
  readonly now?: () => number;
}): Promise<RedisCounters> {
  const redis = openRedisCounters({ ...options, keyPrefix: `test-${randomBytes(6).toString('hex')}:` });
  onTestFinished(async () => await redis.close());
  await waitUntil(redis.isAnswering);
  return redis;
}

/** Resolves when the condition holds; a test that waits for ever runs into its own time limit. */
export async function waitUntil(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

export const meterOf = (kind: MeterKind, limit: number, amount = 1): LimitMeter => ({
  name: `k1:${kind}`,
  kind,
  limit,
  amount,
});

/** A taking of account 1 with one meter, as most tests want it. */
export const takeOf = (turnId: string, ...meters: readonly LimitMeter[]): LimitTake => ({
  accountId: 1,
  turnId,
  meters,
});

/** The turns of `countTaken`. */
const turnIdOf = (index: number, name: string): string => `${name}-${index}`;

/** How many of `count` takings at the same moment are allowed. */
export async function countTaken(
  counters: LimitCounters,
  count: number,
  meters: readonly LimitMeter[],
  name = randomBytes(4).toString('hex'),
): Promise<number> {
  const answers: TakeAnswer[] = await Promise.all(
    Array.from({ length: count }, (_, index) => counters.take(takeOf(turnIdOf(index, name), ...meters))),
  );
  return answers.filter(({ type }) => type === 'taken').length;
}
