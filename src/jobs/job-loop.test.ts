import { describe, expect, it } from 'vitest';
import { startJobLoop } from './job-loop.ts';

/** Nothing here waits for the clock: every round is asked for. */
const intervalMs = 3_600_000;

describe('a job', () => {
  it('never runs twice at a time, and once more when it was nudged meanwhile', async () => {
    const gate = Promise.withResolvers<void>();
    let running = 0;
    let runningMax = 0;
    let rounds = 0;
    const loop = startJobLoop({
      name: 'counting',
      intervalMs,
      run: async () => {
        running += 1;
        runningMax = Math.max(runningMax, running);
        if (rounds === 0) await gate.promise;
        rounds += 1;
        running -= 1;
      },
      onError: () => undefined,
    });
    const both = [loop.nudge(), loop.nudge(), loop.nudge()];
    expect(loop.report()).toMatchObject({
      name: 'counting',
      isRunning: true,
      roundCount: 0,
      lastEndedAt: null,
    });
    gate.resolve();
    await Promise.all(both);
    expect([rounds, runningMax]).toEqual([2, 1]);
    expect(loop.report()).toMatchObject({
      isRunning: false,
      roundCount: 2,
      failedCount: 0,
      lastFailure: null,
    });
    await loop.close();
  });

  it('that fails says why, and is fine again after a round that succeeds', async () => {
    const told: unknown[] = [];
    let isBroken = true;
    const loop = startJobLoop({
      name: 'failing',
      intervalMs,
      run: async () => {
        if (isBroken) throw new Error('the disk is full');
      },
      onError: (error) => told.push(error),
    });
    await loop.nudge();
    expect(loop.report()).toMatchObject({ roundCount: 1, failedCount: 1, lastFailure: 'the disk is full' });
    expect(told).toHaveLength(1);
    isBroken = false;
    await loop.nudge();
    const { lastEndedAt, ...report } = loop.report();
    expect(report).toMatchObject({ roundCount: 2, failedCount: 1, lastFailure: null });
    expect(lastEndedAt).toBeGreaterThan(0);
    await loop.close();
  });

  it('does nothing more once it is closed', async () => {
    let rounds = 0;
    const loop = startJobLoop({
      name: 'closed',
      intervalMs,
      run: async () => {
        rounds += 1;
      },
      onError: () => undefined,
    });
    await loop.close();
    await loop.nudge();
    expect(rounds).toBe(0);
  });
});
