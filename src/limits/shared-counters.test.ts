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
