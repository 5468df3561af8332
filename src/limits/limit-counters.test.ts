import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  counterKinds,
  countTaken,
  createTestClock,
  meterOf,
  openTestCounters,
  takeOf,
  testNowMs,
} from './__fixtures__/test-counters.ts';
import { type LimitCounters, leaseMs, type TakeAnswer } from './limit-counters.ts';

/** The answer of a taking that must have succeeded. */
async function takeSurely(counters: LimitCounters, ...args: Parameters<typeof takeOf>) {
  const answer = await counters.take(takeOf(...args));
  if (answer.type !== 'taken') throw new Error(`expected to take, got ${answer.type}`);
  return answer;
}

const refusal = (answer: TakeAnswer) =>
  answer.type === 'refused' ? { meter: answer.meter, waitMs: answer.waitMs } : answer.type;

describe.each(counterKinds)('limits counted in %s', (kind) => {
  it('let exactly as many pass as there is room for, however many come at once', async () => {
    const counters = await openTestCounters(kind, createTestClock().now);
    expect(await countTaken(counters, 60, [meterOf('minute', 25)])).toBe(25);
    expect(await countTaken(counters, 60, [meterOf('lease', 7)])).toBe(7);
  });

  it('never let more than a minute’s worth pass in any 60 seconds', async () => {
    const clock = createTestClock();
    const counters = await openTestCounters(kind, clock.now);
    expect(await countTaken(counters, 3, [meterOf('minute', 3)])).toBe(3);
    clock.advance(59_999);
    expect(await countTaken(counters, 1, [meterOf('minute', 3)])).toBe(0);
    // The whole second in which they came has left the window.
    clock.set(Math.floor(testNowMs / 1000) * 1000 + 61_000);
    expect(await countTaken(counters, 5, [meterOf('minute', 3)])).toBe(3);
  });

  it('say how long to wait: until enough has left the minute, not until all has', async () => {
    const clock = createTestClock();
    const counters = await openTestCounters(kind, clock.now);
    await takeSurely(counters, 'a', meterOf('minute', 10, 4));
    clock.advance(10_000);
    await takeSurely(counters, 'b', meterOf('minute', 10, 6));
    expect(refusal(await counters.take(takeOf('c', meterOf('minute', 10, 3))))).toEqual({
      meter: 0,
      waitMs: 61_000 - 10_000 - 250,
    });
    expect(refusal(await counters.take(takeOf('c', meterOf('minute', 10, 5))))).toEqual({
      meter: 0,
      waitMs: 61_000 - 250,
    });
    clock.advance(61_000 - 10_000 - 250 - 1);
    expect(refusal(await counters.take(takeOf('c', meterOf('minute', 10, 3))))).toEqual({
      meter: 0,
      waitMs: 1,
    });
    clock.advance(1);
    await takeSurely(counters, 'c', meterOf('minute', 10, 3));
  });

  it('take from all limits or from none, and name the one that lasts longest', async () => {
    const counters = await openTestCounters(kind, createTestClock().now);
    const account = { ...meterOf('minute', 5), name: 'a1:minute' };
    const key = meterOf('minute', 2);
    const running = { ...meterOf('lease', 2), name: 'k1:running' };
    expect(await countTaken(counters, 4, [account, key, running])).toBe(2);
    const refused = await counters.take(takeOf('late', account, running, key));
    expect(refusal(refused)).toEqual({ meter: 2, waitMs: 60_750 });
    expect(refused).toMatchObject({ readings: [{ used: 2 }, { used: 2 }, { used: 2 }] });
    // The refused ones took nothing from the account.
    expect(await countTaken(counters, 5, [account])).toBe(3);
  });

  it('read what was used before, and when some of it comes back', async () => {
    const clock = createTestClock();
    const counters = await openTestCounters(kind, clock.now);
    const first = await takeSurely(counters, 'a', meterOf('minute', 10, 4));
    expect(first.readings).toEqual([{ used: 0, backMs: 0 }]);
    clock.advance(5_000);
    const second = await takeSurely(counters, 'b', meterOf('minute', 10, 1));
    expect(second.readings).toEqual([{ used: 4, backMs: 61_000 - 5_250 }]);
  });

  it('count the correction of a turn in the second in which it had reserved', async () => {
    const clock = createTestClock();
    const counters = await openTestCounters(kind, clock.now);
    const { receipt } = await takeSurely(counters, 'a', meterOf('minute', 100, 90));
    clock.advance(30_000);
    await counters.correct({
      accountId: 1,
      turnId: 'a',
      receipt,
      changes: [{ name: 'k1:minute', kind: 'minute', change: -80 }],
    });
    const { readings } = await takeSurely(counters, 'b', meterOf('minute', 100, 90));
    expect(readings[0]?.used).toBe(10);
    // A correction that comes after its minute changes nothing.
    clock.advance(61_000);
    await counters.correct({
      accountId: 1,
      turnId: 'a',
      receipt,
      changes: [{ name: 'k1:minute', kind: 'minute', change: 50 }],
    });
    expect((await takeSurely(counters, 'c', meterOf('minute', 100))).readings[0]?.used).toBe(0);
  });

  it('begin a day at 00:00 UTC with what is known of it, and forget it at the next', async () => {
    const clock = createTestClock(Date.UTC(2028, 1, 28, 23, 59, 59));
    const counters = await openTestCounters(kind, clock.now);
    const today = meterOf('day', 100, 30);
    expect(await counters.take(takeOf('a', today))).toEqual({ type: 'seed-missing', meter: 0 });
    const taken = await counters.take({ ...takeOf('a', today), seeds: new Map([[today.name, 60]]) });
    expect(taken).toMatchObject({ type: 'taken', readings: [{ used: 60, backMs: 1_000 }] });
    expect(refusal(await counters.take(takeOf('b', today)))).toEqual({ meter: 0, waitMs: 1_000 });
    // The leap day.
    clock.advance(1_000);
    expect(await counters.take(takeOf('b', today))).toEqual({ type: 'seed-missing', meter: 0 });
    const next = await counters.take({ ...takeOf('b', today), seeds: new Map([[today.name, 0]]) });
    expect(next).toMatchObject({ type: 'taken', readings: [{ used: 0, backMs: 86_400_000 }] });
    // Yesterday's correction does not reach today.
    if (taken.type !== 'taken') throw new Error('not taken');
    await counters.correct({
      accountId: 1,
      turnId: 'a',
      receipt: taken.receipt,
      changes: [{ name: today.name, kind: 'day', change: -30 }],
    });
    expect(await counters.take(takeOf('c', today))).toMatchObject({ readings: [{ used: 30 }] });
  });

  it('free the place of a turn that ended, and of one that nobody renewed', async () => {
    const clock = createTestClock();
    const counters = await openTestCounters(kind, clock.now);
    const running = meterOf('lease', 2);
    const { receipt } = await takeSurely(counters, 'a', running);
    await takeSurely(counters, 'b', running);
    expect(refusal(await counters.take(takeOf('c', running)))).toEqual({ meter: 0, waitMs: 1_000 });
    await counters.correct({
      accountId: 1,
      turnId: 'a',
      receipt,
      changes: [{ name: running.name, kind: 'lease', change: -1 }],
    });
    await takeSurely(counters, 'c', running);
    clock.advance(leaseMs - 1);
    await counters.renew([{ accountId: 1, turnId: 'b', names: [running.name] }]);
    expect(refusal(await counters.take(takeOf('d', running)))).toEqual({ meter: 0, waitMs: 1_000 });
    // `c` was not renewed.
    clock.advance(1);
    await takeSurely(counters, 'd', running);
    expect(refusal(await counters.take(takeOf('e', running)))).toEqual({ meter: 0, waitMs: 1_000 });
  });

  it('keep keys and accounts apart', async () => {
    const counters = await openTestCounters(kind, createTestClock().now);
    expect(await countTaken(counters, 3, [{ ...meterOf('minute', 2), name: 'k2:minute' }])).toBe(2);
    expect(await countTaken(counters, 3, [{ ...meterOf('minute', 2), name: 'k3:minute' }])).toBe(2);
  });
});

const step = fc.record({
  advanceMs: fc.integer({ min: 0, max: 20_000 }),
  amount: fc.integer({ min: 1, max: 6 }),
  /** What the turn turns out to have used; undefined = it is not corrected. */
  used: fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined }),
});

describe('the three ways of counting', () => {
  it('answer the same to the same, and never let more through in 60 seconds than the limit', {
    timeout: 120_000,
  }, async () => {
    const limit = 10;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const clock = createTestClock();
        const all = await Promise.all(counterKinds.map((kind) => openTestCounters(kind, clock.now)));
        const taken: { at: number; amount: number }[] = [];
        for (const [index, { advanceMs, amount, used }] of steps.entries()) {
          clock.advance(advanceMs);
          const take = takeOf(`turn-${index}`, meterOf('minute', limit, amount));
          const answers = await Promise.all(all.map((counters) => counters.take(take)));
          expect(answers[1]).toEqual(answers[0]);
          expect(answers[2]).toEqual(answers[0]);
          const [answer] = answers;
          if (answer?.type !== 'taken') continue;
          const change = (used ?? amount) - amount;
          taken.push({ at: clock.now(), amount: Math.min(amount, amount + change) });
          const window = taken.filter(({ at }) => at > clock.now() - 60_000);
          expect(window.reduce((sum, each) => sum + each.amount, 0)).toBeLessThanOrEqual(limit);
          const changes = [{ name: 'k1:minute', kind: 'minute' as const, change }];
          await Promise.all(
            all.map((counters) =>
              counters.correct({ accountId: 1, turnId: take.turnId, receipt: answer.receipt, changes }),
            ),
          );
        }
      }),
      { numRuns: 8 },
    );
  });
});
