import { describe, expect, it } from 'vitest';
import { createPoisonList } from './poison-list.ts';

describe('poison list', () => {
  it('refuses an input after its second crash, for ten minutes', () => {
    let time = 0;
    const list = createPoisonList(() => time);
    list.suspect(['a', 'b']);
    expect(list.isPoisoned('a')).toBe(false);
    list.suspect(['a']);
    expect(list.isPoisoned('a')).toBe(true);
    expect(list.isPoisoned('b')).toBe(false);
    time = 10 * 60_000;
    expect(list.isPoisoned('a')).toBe(false);
    expect(list.isEmpty).toBe(true);
  });

  it('clears an input that came through', () => {
    const list = createPoisonList(() => 0);
    list.suspect(['a']);
    list.clear('a');
    list.suspect(['a']);
    expect(list.isPoisoned('a')).toBe(false);
  });
});
