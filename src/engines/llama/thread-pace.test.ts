import { describe, expect, it } from 'vitest';
import { createThreadPace } from './thread-pace.ts';

/** Runs decodes of 10 ms on a machine that gives the process `cores` of CPU time. */
function simulate(cores: (threads: number) => number, batchTokens = 1) {
  let time = 0;
  const pace = createThreadPace(4, () => time);
  const used: number[] = [];
  const run = (decodes: number) => {
    for (let i = 0; i < decodes; i++) {
      const threads = pace.next(batchTokens);
      used.push(threads);
      time += 10;
      pace.record(10, 10 * Math.min(threads, cores(threads)));
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

  it('goes down to what the machine gives', () => {
    expect(simulate(() => 1).run(100)).toBe(1);
  });

  it('comes back when the cores are free again', () => {
    let free = 1;
    const { run } = simulate(() => free);
    run(100);
    free = 4;
    expect(run(2_000)).toBe(4);
  });

  it('reacts to a single long decode that waited for its cores', () => {
    const pace = createThreadPace(2, () => 0);
    pace.next(512);
    pace.record(2_000, 1_000);
    expect(pace.next(512)).toBe(1);
  });

  it('does not probe with long batches', () => {
    const { run, used } = simulate(() => 1, 512);
    run(5_000);
    expect(new Set(used.slice(1_000))).toEqual(new Set([1]));
  });

  it('probes a busy machine ever more rarely', () => {
    const { run, used } = simulate(() => 1);
    run(20_000);
    expect(used.slice(-10_000).filter((threads) => threads > 1).length).toBeLessThan(5);
  });
});
