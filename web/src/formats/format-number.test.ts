import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, formatUsd } from './format-number.ts';
import { formatRelative } from './format-time.ts';

describe('numbers', () => {
  it.each([
    [0, '$0.00'],
    [12.5, '$12.50'],
    [1234.567, '$1,234.57'],
    [0.05, '$0.05'],
    [0.000364, '$0.00036'],
    [0.000000002, '$0.000000002'],
    [-3, '-$3.00'],
  ])('%d dollars read %s: nothing that was paid reads as nothing', (usd, text) => {
    expect(formatUsd(usd, 'en')).toBe(text);
  });

  it('of time and size have a unit', () => {
    expect(formatDuration(268, 'en')).toBe('268ms');
    expect(formatDuration(1_320, 'en')).toBe('1.32s');
    expect(formatBytes(96_600_000, 'en')).toBe('96.6 MB');
    expect([0, 24, 999].map((bytes) => formatBytes(bytes, 'en'))).toEqual(['0 B', '24 B', '999 B']);
    expect(formatBytes(1_000, 'en')).toBe('1 kB');
    expect(formatBytes(2.5e15, 'en')).toBe('2,500 TB');
  });

  it('of relative time never round up to what has not passed', () => {
    expect(formatRelative(0, 119_000, 'en')).toBe('1 minute ago');
    expect(formatRelative(0, 3 * 86_400_000, 'zh')).toBe('3天前');
  });
});
