import { describe, expect, it } from 'vitest';
import { createPoisonList } from './poison-list.ts';

describe('poison list', () => {
  it('refuses an input after its second crash, for ten minutes', () => {
    let time = 0;
    const list = createPoisonList(() => time);
    list.suspect('a', false);
    list.suspect('b', false);
    expect([list.isSuspected('a'), list.isPoisoned('a')]).toEqual([true, false]);
    list.suspect('a', true);
    expect([list.isPoisoned('a'), list.isPoisoned('b')]).toEqual([true, false]);
    time = 10 * 60_000;
    expect(list.isPoisoned('a')).toBe(false);
    expect(list.isEmpty).toBe(true);
  });

  it('never refuses an input that crashed only beside others', () => {
    const list = createPoisonList(() => 0);
    for (let crash = 0; crash < 5; crash++) list.suspect('a', false);
    expect([list.isSuspected('a'), list.isPoisoned('a')]).toEqual([true, false]);
  });

  it('clears an input that came through', () => {
    const list = createPoisonList(() => 0);
    list.suspect('a', true);
    list.clear('a');
    list.suspect('a', true);
    expect(list.isPoisoned('a')).toBe(false);
  });
});
