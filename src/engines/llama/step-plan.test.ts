import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrefillPace, sharePrefill } from './step-plan.ts';

describe('prefill pace', () => {
  it('gives a lone prompt the whole batch while nobody decodes and it is fast', () => {
    const pace = createPrefillPace();
    pace.record(100, 0, 20);
    expect(pace.budget(0, 1, 512)).toBe(512);
  });

  it('lets nobody wait long for a step on a slow machine', () => {
    const pace = createPrefillPace();
    pace.record(100, 0, 300);
    expect(pace.budget(0, 1, 512)).toBe(100);
  });

  it('keeps a step short for those who decode, at the measured speed', () => {
    const pace = createPrefillPace();
    for (let i = 0; i < 20; i++) pace.record(0, 4, 20);
    for (let i = 0; i < 20; i++) pace.record(64, 4, 20 + 64 * 2);
    expect(pace.budget(4, 1, 512)).toBe(30);
  });

  it('never starves a prompt, however slow the machine', () => {
    const pace = createPrefillPace();
    for (let i = 0; i < 20; i++) pace.record(16, 1, 5_000);
    expect(pace.budget(8, 3, 512)).toBeGreaterThanOrEqual(8);
  });

  it('never exceeds the batch', () => {
    const pace = createPrefillPace();
    pace.record(512, 0, 1);
    expect(pace.budget(500, 1, 512)).toBeLessThanOrEqual(12);
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
