import { describe, expect, it } from 'vitest';
import { createThreadPace } from './thread-pace.ts';

/** Runs decodes of 10 ms on a machine of four cores, of which others leave `free` to us. */
function simulate(free: () => number, seenIdle = (threads: number) => Math.max(0, free() - threads)) {
  const clock = { time: 0, idle: 0, cpu: 0 };
  const pace = createThreadPace(4, {
    now: () => clock.time,
    idleMs: () => clock.idle,
    cpuMs: () => clock.cpu,
  });
  const used: number[] = [];
  const run = (decodes: number) => {
    for (let i = 0; i < decodes; i++) {
      const threads = pace.begin();
      used.push(threads);
      clock.time += 10;
      clock.idle += 10 * seenIdle(threads);
      clock.cpu += 10 * Math.min(threads, free());
      pace.end();
    }
    return used.at(-1);
  };
  return { run, used };
}

describe('thread pace', () => {
  it('keeps all threads while they get their cores', () => {
    const { run, used } = simulate(() => 4);
    run(500);
    expect(new Set(used)).toEqual(new Set([4]));
  });

  it('goes down to what the machine gives, and never tries a busy machine again', () => {
    const { run, used } = simulate(() => 1);
    run(20_000);
    expect(new Set(used.slice(100))).toEqual(new Set([1]));
  });

  it('comes back within a second when the cores are free again', () => {
    let free = 1;
    const { run } = simulate(() => free);
    run(100);
    free = 4;
    expect(run(100)).toBe(4);
  });

  it('bears with one decode that was disturbed, not with two', () => {
    const clock = { time: 0, idle: 0, cpu: 0 };
    const pace = createThreadPace(2, {
      now: () => clock.time,
      idleMs: () => clock.idle,
      cpuMs: () => clock.cpu,
    });
    const disturb = () => {
      pace.begin();
      clock.time += 2_000;
      clock.cpu += 2_100;
      pace.end();
    };
    disturb();
    expect(pace.begin()).toBe(2);
    disturb();
    expect(pace.begin()).toBe(1);
    clock.time += 300;
    clock.idle += 290;
    expect(pace.begin()).toBe(2);
  });

  it('does not take pauses between decodes for cores that were not to be had', () => {
    const clock = { time: 0, cpu: 0 };
    const pace = createThreadPace(2, {
      now: () => clock.time,
      idleMs: () => 0,
      cpuMs: () => clock.cpu,
    });
    for (let i = 0; i < 1_000; i++) {
      expect(pace.begin()).toBe(2);
      clock.time += 20;
      clock.cpu += 40;
      pace.end();
      clock.time += 100;
    }
  });

  it('tries ever more rarely where idle cores are out of reach, as under a quota', () => {
    const { run, used } = simulate(
      () => 1,
      () => 3,
    );
    run(20_000);
    expect(used.slice(-10_000).filter((threads) => threads > 1).length).toBeLessThan(100);
  });
});
