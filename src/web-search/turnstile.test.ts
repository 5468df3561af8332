import { describe, expect, it } from 'vitest';
import { createTurnstile } from './turnstile.ts';

const never = new AbortController().signal;

describe('a turnstile', () => {
  it('lets lower ranks in first, equal ones in the order in which they came', async () => {
    const turnstile = createTurnstile({ insideMax: 1 });
    const entered: string[] = [];
    const pass = async (name: string, rank: number): Promise<void> => {
      const leave = await turnstile.enter(rank, never);
      entered.push(name);
      leave();
    };
    await Promise.all([
      pass('second of a', 1),
      pass('first of a', 0),
      pass('second of b', 1),
      pass('first of b', 0),
    ]);
    expect(entered).toEqual(['first of a', 'first of b', 'second of a', 'second of b']);
  });

  it('holds no more than it may, and lets the next in when one leaves', async () => {
    const turnstile = createTurnstile({ insideMax: 2 });
    const leaves: (() => void)[] = [];
    let insideCount = 0;
    let insideMost = 0;
    const passes = Array.from({ length: 10 }, async () => {
      const leave = await turnstile.enter(0, never);
      insideMost = Math.max(insideMost, ++insideCount);
      leaves.push(() => {
        insideCount -= 1;
        leave();
      });
      if (insideCount === 2) for (const each of leaves.splice(0)) each();
    });
    await Promise.all(passes);
    expect(insideMost).toBe(2);
  });

  it('lets one in for each turn of the event loop, so that others get theirs', async () => {
    const turnstile = createTurnstile();
    let insideCount = 0;
    const passes = Array.from({ length: 20 }, async () => {
      await turnstile.enter(0, never);
      insideCount += 1;
    });
    const seen: number[] = [];
    while (insideCount < 20) {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(insideCount);
    }
    await Promise.all(passes);
    expect(Math.max(...seen.map((count, turn) => count - (seen[turn - 1] ?? 0)))).toBe(1);
  });

  it('lets in who has waited for long, although it is full', async () => {
    const turnstile = createTurnstile({ insideMax: 1, patienceMs: 20 });
    const leaveFirst = await turnstile.enter(0, never);
    // Nobody leaves: without the patience this would never resolve.
    const leaveSecond = await turnstile.enter(0, never);
    leaveFirst();
    const third = turnstile.enter(0, never);
    leaveSecond();
    (await third)();
  });

  it('forgets who gives up, and stays open for the others', async () => {
    const turnstile = createTurnstile({ insideMax: 1 });
    const leave = await turnstile.enter(0, never);
    const controller = new AbortController();
    const gone = turnstile.enter(0, controller.signal);
    const next = turnstile.enter(1, never);
    controller.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    leave();
    (await next)();
    await expect(turnstile.enter(0, controller.signal)).rejects.toThrow('gone');
  });
});
