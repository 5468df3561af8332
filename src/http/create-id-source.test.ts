import { describe, expect, it } from 'vitest';
import { createIdSource } from './create-id-source.ts';

describe('an id', () => {
  it('is 24 hex digits that begin with the second it was made in', () => {
    const id = createIdSource({ now: () => 0x6970b5d0 * 1000 + 999 }).next();
    expect(id).toMatch(/^6970b5d0[0-9a-f]{16}$/);
  });

  it('is never made twice', () => {
    const ids = createIdSource({ now: () => 0 });
    const made = new Set(Array.from({ length: 5000 }, () => ids.next()));
    expect(made.size).toBe(5000);
  });
});
