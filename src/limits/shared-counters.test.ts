import { describe, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../test/services/start-redis.ts';
import {
  countTaken,
  createTestClock,
  meterOf,
  openTestCounters,
  openTestRedis,
  takeOf,
  waitUntil,
} from './__fixtures__/test-counters.ts';
import type { LimitCounters, LimitTake, Receipt } from './limit-counters.ts';
import { createMemoryCounters } from './memory-counters.ts';
import { createSharedCounters, type SharedCountersOptions } from './shared-counters.ts';

async function openShared(options: Partial<SharedCountersOptions> = {}) {
  const service = await startRedis();
  onTestFinished(async () => await service.stop());
  const truth = options.truth ?? createMemoryCounters();
  const changes: boolean[] = [];
  const counters = createSharedCounters({
    redis: await openTestRedis(service),
    truth,
    onChange: ({ isRedisUsed }) => changes.push(isRedisUsed),
    probeMs: 20,
    ...options,
  });
  onTestFinished(async () => await counters.close());
  await waitUntil(() => counters.isRedisUsed());
  return { service, counters, truth, changes };
}

async function takeIn(counters: LimitCounters, take: LimitTake) {
  const answer = await counters.take(take);
  if (answer.type !== 'taken') throw new Error(`the taking was ${answer.type}`);
  return answer;
}

describe('limits counted in Redis before the truth', () => {
  it('answer every request while Redis is killed, and refuse none for it', async () => {
    const { service, counters, changes } = await openShared();
    const running = Promise.all(
      Array.from({ length: 300 }, async (_, index) => {
        if (index === 150) await service.stop();
        return await counters.take(takeOf(`turn-${index}`, meterOf('minute', 1_000)));
      }),
    );
    expect((await running).every(({ type }) => type === 'taken')).toBe(true);
    expect(await countTaken(counters, 3, [meterOf('minute', 1_000)])).toBe(3);
    expect(changes).toEqual([true, false]);
  });

  it('still count the turns that run when Redis is lost', async () => {
    const truth = await openTestCounters('postgres', createTestClock().now);
    const { service, counters } = await openShared({ truth });
    expect(await countTaken(counters, 10, [meterOf('lease', 4)], 'early')).toBe(4);
    await service.stop();
    expect(await countTaken(counters, 10, [meterOf('lease', 4)])).toBe(0);
    expect(counters.isRedisUsed()).toBe(false);
    // One of them ends: its place is free where it is counted now.
    await counters.correct({
      accountId: 1,
      turnId: 'early-0',
      receipt: { second: 0, place: 'redis' },
      changes: [{ name: 'k1:lease', kind: 'lease', change: -1 }],
    });
    expect(await countTaken(counters, 10, [meterOf('lease', 4)])).toBe(1);
  });

  it('wait for a Redis that hangs once, and no longer than its time limit', async () => {
    const { counters, service } = await openShared();
    service.signal('SIGSTOP');
    const answer = await counters.take(takeOf('a', meterOf('minute', 10)));
    expect(answer).toMatchObject({ type: 'taken', receipt: { place: 'truth' } });
    expect(counters.isRedisUsed()).toBe(false);
    service.signal('SIGCONT');
    await waitUntil(() => counters.isRedisUsed());
    expect(await counters.take(takeOf('b', meterOf('minute', 10)))).toMatchObject({
      receipt: { place: 'redis' },
    });
  });

  it('give back what was taken elsewhere when Redis is used again', async () => {
    const truth = createMemoryCounters();
    const { counters, service } = await openShared({ truth });
    service.signal('SIGSTOP');
    expect(await countTaken(counters, 2, [meterOf('lease', 2)], 'away')).toBe(2);
    service.signal('SIGCONT');
    await waitUntil(() => counters.isRedisUsed());
    expect(await countTaken(counters, 2, [meterOf('lease', 2)])).toBe(0);
    for (const turnId of ['away-0', 'away-1']) {
      await counters.correct({
        accountId: 1,
        turnId,
        receipt: { second: 0, place: 'truth' },
        changes: [{ name: 'k1:lease', kind: 'lease', change: -1 }],
      });
    }
    expect(await countTaken(counters, 3, [meterOf('lease', 2)])).toBe(2);
    expect(await countTaken(truth, 3, [meterOf('lease', 2)])).toBe(2);
  });

  it('free the place of a turn that ended while its lease was being renewed', async () => {
    const { counters } = await openShared();
    const { receipt } = await takeIn(counters, takeOf('a', meterOf('lease', 1)));
    const changes = [{ name: 'k1:lease', kind: 'lease', change: -1 }] as const;
    await counters.correct({ accountId: 1, turnId: 'a', receipt, changes });
    await counters.renew([{ accountId: 1, turnId: 'a', names: ['k1:lease'] }]);
    expect(await countTaken(counters, 1, [meterOf('lease', 1)])).toBe(0);
    // As the limiter does for turns that it does not know any more.
    await counters.correct({ accountId: 1, turnId: 'a', receipt: { second: 0 }, changes });
    expect(await countTaken(counters, 1, [meterOf('lease', 1)])).toBe(1);
  });

  it('keep the corrections behind one that fails when Redis is back', async () => {
    const service = await startRedis();
    onTestFinished(async () => await service.stop());
    const redis = await openTestRedis(service);
    let failures = 0;
    const { counters } = await openShared({
      redis: {
        ...redis,
        correct: async (correction) => {
          if (correction.turnId !== 'fails') return await redis.correct(correction);
          failures += 1;
          throw new Error('lost again');
        },
      },
    });
    const day = meterOf('day', 10, 4);
    const seeds = new Map([['k1:day', 0]]);
    const turns = ['fails', 'waits'];
    const receipts: Receipt[] = [];
    for (const turnId of turns) {
      receipts.push((await takeIn(counters, { ...takeOf(turnId, day), seeds })).receipt);
    }
    service.signal('SIGSTOP');
    await counters.take(takeOf('away', meterOf('minute', 10)));
    expect(counters.isRedisUsed()).toBe(false);
    for (const [position, turnId] of turns.entries()) {
      const changes = [{ name: 'k1:day', kind: 'day', change: -4 }] as const;
      await counters.correct({ accountId: 1, turnId, receipt: receipts[position] ?? { second: 0 }, changes });
    }
    service.signal('SIGCONT');
    await waitUntil(() => counters.isRedisUsed());
    expect(failures).toBe(1);
    expect((await takeIn(counters, takeOf('later', meterOf('day', 10, 0)))).readings[0]?.used).toBe(4);
  });

  it('go on with the minute that runs when Redis is lost, and when it is back', async () => {
    const { service, counters } = await openShared();
    expect(await countTaken(counters, 6, [meterOf('minute', 8)])).toBe(6);
    service.signal('SIGSTOP');
    expect(await countTaken(counters, 5, [meterOf('minute', 8)])).toBe(2);
    service.signal('SIGCONT');
    await waitUntil(() => counters.isRedisUsed());
    expect(await countTaken(counters, 5, [meterOf('minute', 8)])).toBe(0);
  });
});
