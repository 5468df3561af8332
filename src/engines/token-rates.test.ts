import { describe, expect, it } from 'vitest';
import { createTokenRates } from './token-rates.ts';

const totals = (promptTokens: number, outputTokens: number) => ({ promptTokens, outputTokens });

describe('token rates', () => {
  it('are known from the second reading on, over about ten seconds', () => {
    let nowMs = 0;
    const rates = createTokenRates(() => nowMs);
    expect(rates.note(totals(0, 0))).toBeUndefined();
    nowMs = 2_000;
    expect(rates.note(totals(200, 100))).toEqual(totals(100, 50));
    nowMs = 12_000;
    expect(rates.note(totals(200, 300))).toEqual(totals(0, 20));
  });

  it('begin anew after a pause, and when the engine was started again', () => {
    let nowMs = 0;
    const rates = createTokenRates(() => nowMs);
    rates.note(totals(100, 100));
    nowMs = 60_000;
    expect(rates.note(totals(100, 100))).toBeUndefined();
    nowMs = 61_000;
    expect(rates.note(totals(5, 5))).toBeUndefined();
    nowMs = 62_000;
    expect(rates.note(totals(5, 15))).toEqual(totals(0, 10));
  });
});
