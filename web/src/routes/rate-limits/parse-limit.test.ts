import { describe, expect, it } from 'vitest';
import { parseLimit } from './parse-limit.ts';

describe('a typed rate limit', () => {
  it('is a whole number from 1, the word for no limit, or nothing', () => {
    expect(parseLimit(' 1,000,000 ')).toBe(1_000_000);
    expect(parseLimit('Unlimited')).toBe('unlimited');
    expect(parseLimit('  ')).toBeNull();
  });

  it.each(['0', '-1', '1.5', 'many', '1e400'])('is not %s', (text) => {
    expect(parseLimit(text)).toBeUndefined();
  });
});
