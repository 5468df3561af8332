import { describe, expect, it } from 'vitest';
import { createDrainRate } from './drain-rate.ts';

describe('drain rate', () => {
  it('says how long the queue takes at the measured rate', () => {
    let time = 0;
    const rate = createDrainRate(() => time);
    for (let i = 0; i < 10; i++) {
      time += 500;
      rate.recordEnd();
    }
    time += 500;
    expect(rate.estimateSeconds(20)).toBe(10);
  });

  it('stays within 1 to 60 seconds', () => {
    let time = 0;
    const rate = createDrainRate(() => time);
    rate.recordEnd();
    expect(rate.estimateSeconds(1)).toBe(1);
    time = 50_000;
    expect(rate.estimateSeconds(1_000)).toBe(60);
  });

  it('has an answer before anything ended, and after a long pause', () => {
    let time = 0;
    const rate = createDrainRate(() => time);
    expect(rate.estimateSeconds(3)).toBe(5);
    rate.recordEnd();
    time = 100_000;
    expect(rate.estimateSeconds(3)).toBe(5);
  });
});
