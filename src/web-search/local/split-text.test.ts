import { describe, expect, it } from 'vitest';
import { splitText } from './split-text.ts';

describe('splitText', () => {
  it('never cuts a character of two UTF-16 units in two', () => {
    // The odd unit in front puts every limit into the middle of a character.
    const text = `a${'𠀀'.repeat(2_000)}`;
    const passages = splitText(text);
    expect(passages.length).toBeGreaterThan(1);
    expect(passages.filter((passage) => !passage.isWellFormed())).toEqual([]);
    expect(passages.join('')).toBe(text);
  });
});
