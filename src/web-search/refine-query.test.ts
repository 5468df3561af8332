import { describe, expect, it } from 'vitest';
import { refineQuery } from './refine-query.ts';

const ask = (text: string, before?: string) => ({ text, before });
const example = 'Please search for Moonshot AI Context Caching technology and tell me what it is in English.';

describe('refineQuery', () => {
  it('keeps a query that is about the question', () => {
    expect(refineQuery('Moonshot AI Context Caching', ask(example))).toBe('Moonshot AI Context Caching');
  });

  it.each(['a few words', '2024_2024_2024_2024', 'wilhelm-wilhelm-sawyer-2018.com.au', '', 'the'])(
    'searches for the question instead of `%s`',
    (query) =>
      expect(refineQuery(query, ask('Who won the Nobel prize in 2024?'))).toBe(
        'Who won the Nobel prize in 2024?',
      ),
  );

  it('puts the question before in front of one that says too little', () => {
    expect(refineQuery('x', ask('And how much?', 'What is context caching?'))).toBe(
      'What is context caching? And how much?',
    );
  });

  it('works without spaces between words', () => {
    expect(refineQuery('上下文缓存', ask('月之暗面的上下文缓存是什么？'))).not.toBe('');
    expect(refineQuery('a few words', ask('月之暗面的上下文缓存是什么？'))).toBe(
      '月之暗面的上下文缓存是什么？',
    );
  });

  it('is one line of at most 200 characters', () => {
    const query = refineQuery('x', ask(`${'word '.repeat(100)}\nend`));
    expect(query.length).toBeLessThanOrEqual(200);
    expect(query).not.toMatch(/\n|wor$/);
  });
});
