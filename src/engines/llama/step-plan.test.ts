import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrefillPace, type StepLoad, sharePrefill } from './step-plan.ts';

/** A step of somebody's, with the rest of the load as in most tests. */
function load(decodingCount: number, more: Partial<StepLoad> = {}): StepLoad {
  return { decodingCount, prefillingCount: 1, remainingTokens: 3_500, batchTokensMax: 512, ...more };
}

describe('prefill pace', () => {
  it('gives a lone prompt the whole batch while nobody decodes and it is fast', () => {
    const pace = createPrefillPace();
    pace.record(100, 0, 20);
    expect(pace.budget(load(0))).toBe(512);
  });

  it('gives a lone prompt whole tiles in the time that a newcomer may wait', () => {
    const pace = createPrefillPace();
    pace.record(100, 0, 150);
    expect(pace.budget(load(0))).toBe(192);
  });

  it('gives a lone prompt two tiles on a slow machine', () => {
    const pace = createPrefillPace();
    pace.record(100, 0, 1_000);
    expect(pace.budget(load(0))).toBe(128);
  });

  it('leaves no rest that would cost a step of its own', () => {
    const pace = createPrefillPace();
    pace.record(100, 0, 300);
    expect(pace.budget(load(0, { remainingTokens: 191 }))).toBe(191);
    expect(pace.budget(load(0, { remainingTokens: 192 }))).toBe(128);
  });

  it('keeps a step short for those who decode, at the measured speed', () => {
    const pace = createPrefillPace();
    for (let i = 0; i < 20; i++) pace.record(0, 4, 20);
    for (let i = 0; i < 20; i++) pace.record(32, 4, 20 + 32 * 4);
    expect(pace.budget(load(4))).toBe(22);
  });

  it('uses tiles beside those who decode where a tile is fast enough', () => {
    const pace = createPrefillPace();
    for (let i = 0; i < 20; i++) pace.record(32, 4, 32 * 4);
    for (let i = 0; i < 20; i++) pace.record(128, 0, 128 * 1.25);
    expect(pace.budget(load(4))).toBe(72);
  });

  it('never mixes the two: a step below a tile is planned with what such steps cost', () => {
    const pace = createPrefillPace();
    for (let i = 0; i < 20; i++) pace.record(32, 4, 32 * 4);
    for (let i = 0; i < 20; i++) pace.record(128, 0, 128 * 2.4);
    expect(pace.budget(load(4))).toBe(22);
  });

  it('never starves a prompt, however slow the machine', () => {
    const pace = createPrefillPace();
    for (let i = 0; i < 20; i++) pace.record(16, 1, 5_000);
    expect(pace.budget(load(8, { prefillingCount: 3 }))).toBe(4);
  });

  it('never exceeds the batch', () => {
    const pace = createPrefillPace();
    pace.record(512, 0, 1);
    expect(pace.budget(load(500))).toBeLessThanOrEqual(12);
  });
});

describe('sharePrefill', () => {
  it('lets short prompts pass long ones', () => {
    expect(sharePrefill([1000, 10, 900], 100)).toEqual([50, 10, 40]);
  });

  it('gives the oldest at least half, however many short ones come after it', () => {
    expect(sharePrefill([1000, 10, 10, 10, 10, 10, 10], 100)).toEqual([50, 10, 10, 10, 10, 10, 0]);
  });

  it('finishes prompts of one length one after the other', () => {
    expect(sharePrefill([300, 300, 300], 100)).toEqual([100, 0, 0]);
  });

  it('gives out the whole budget or all that is needed, and never more than a prompt needs', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 512 }),
        (remaining, budget) => {
          const shares = sharePrefill(remaining, budget);
          const given = shares.reduce((sum, share) => sum + share, 0);
          const needed = remaining.reduce((sum, tokens) => sum + tokens, 0);
          expect(given).toBe(Math.min(budget, needed));
          for (const [i, share] of shares.entries()) expect(share).toBeLessThanOrEqual(remaining[i] ?? 0);
        },
      ),
    );
  });
});
