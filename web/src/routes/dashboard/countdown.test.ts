import { describe, expect, it } from 'vitest';
import { writeLeft } from './countdown.tsx';

describe('a countdown', () => {
  it('shows seconds below a day and hours above it', () => {
    expect(writeLeft(3_723_000)).toBe('01:02:03');
    expect(writeLeft(2 * 86_400_000 + 3 * 3_600_000)).toBe('2d 03h');
  });

  it('never shows a second that is over, nor a second too few', () => {
    expect(writeLeft(1)).toBe('00:00:01');
    expect(writeLeft(0)).toBe('–');
    expect(writeLeft(-5)).toBe('–');
  });
});
