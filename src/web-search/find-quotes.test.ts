import { describe, expect, it } from 'vitest';
import { findQuotes } from './find-quotes.ts';

const page = 'Context caching keeps the computed prefix of a prompt, so that nobody computes it again.';

const quotesOf = (text: string, others: readonly string[]) =>
  findQuotes(text, others).map(({ start, end, quoted }) => [text.slice(start, end), quoted]);

describe('findQuotes', () => {
  it('finds what is repeated word for word, whatever its case and punctuation', () => {
    expect(
      quotesOf('It KEEPS the computed prefix of a prompt so that nobody has to.', ['other', page]),
    ).toEqual([['KEEPS the computed prefix of a prompt so that nobody', 1]]);
  });

  it.each([
    ['seven words', 'It keeps: the computed prefix of a prompt when asked.'],
    ['the same words in another order', 'prompt a of prefix computed the keeps caching context'],
    ['nothing', ''],
  ])('finds nothing in %s', (_, text) => {
    expect(findQuotes(text, [page])).toEqual([]);
  });

  it('wants sixteen characters of Chinese', () => {
    const chinese = '上下文缓存会保留提示词已经计算好的前缀部分。';
    expect(quotesOf('它会保留提示词已经计算好的前缀部分。', [chinese])).toEqual([
      ['会保留提示词已经计算好的前缀部分', 0],
    ]);
    expect(findQuotes('保留提示词已经计算。', [chinese])).toEqual([]);
  });

  it('looks at each word of a repetitive page once', () => {
    const words = 'again '.repeat(2_000);
    expect(findQuotes(words, [words])).toHaveLength(1);
  });
});
