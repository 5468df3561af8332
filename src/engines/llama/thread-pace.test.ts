import { describe, expect, it } from 'vitest';
import { createThreadPace } from './thread-pace.ts';

/** Runs decodes of 10 ms on a machine that gives the process `cores` of CPU time. */
function simulate(cores: (threads: number) => number) {
  let time = 0;
  const pace = createThreadPace(4, () => time);
  const used: number[] = [];
  const run = (decodes: number) => {
    for (let i = 0; i < decodes; i++) {
      const threads = pace.next();
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

  it('probes a busy machine ever more rarely', () => {
    const { run, used } = simulate(() => 1);
    run(20_000);
    expect(used.slice(-10_000).filter((threads) => threads > 1).length).toBeLessThan(5);
  });
});
