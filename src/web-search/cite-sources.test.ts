import { describe, expect, it } from 'vitest';
import { citeSources } from './cite-sources.ts';

const sources = [
  {
    number: 1,
    title: 'Context caching explained',
    url: 'https://a.example/caching',
    excerpts: ['A cache keeps the computed prefix of a prompt for later requests.'],
  },
  {
    number: 2,
    title: 'Home',
    url: 'https://b.example/',
    excerpts: [
      'As others say: a cache keeps the computed prefix of a prompt for later requests, which are cheap.',
    ],
  },
];
const cited = (text: string) =>
  citeSources(text, sources).map(({ startIndex, endIndex, url }) => ({
    text: Array.from(text).slice(startIndex, endIndex).join(''),
    url,
  }));
const one = 'https://a.example/caching';
const two = 'https://b.example/';

describe('citeSources', () => {
  it('names a page once that two searches found', () => {
    const again = sources.map((source) => ({ ...source, number: source.number + 2 }));
    const text = 'See Context caching explained, and [1, 3].';
    expect(citeSources(text, [...sources, ...again]).map(({ startIndex, url }) => [startIndex, url])).toEqual(
      [
        [4, one],
        [35, one],
      ],
    );
  });

  it.each([
    ['plain', 'It is cheap [1].', [{ text: '[1]', url: one }]],
    ['footnotes', 'It is cheap[^2].', [{ text: '[^2]', url: two }]],
    ['words', 'Source 2 says so.', [{ text: 'Source 2', url: two }]],
    ['wide brackets', '便宜【1】。', [{ text: '【1】', url: one }]],
    ['wide brackets with a mark', '便宜【2†source】。', [{ text: '【2†source】', url: two }]],
    [
      'several in one',
      'Cheap [1, 2].',
      [
        { text: '[1, 2]', url: one },
        { text: '[1, 2]', url: two },
      ],
    ],
    [
      'one after the other',
      'Cheap [1][2].',
      [
        { text: '[1]', url: one },
        { text: '[2]', url: two },
      ],
    ],
  ])('reads numbers: %s', (_, text, expected) => expect(cited(text)).toEqual(expected));

  it('reads exact titles and addresses, and takes the longer of two', () => {
    expect(cited('As “Context caching explained” (https://a.example/caching) says.')).toEqual([
      { text: 'Context caching explained', url: one },
      { text: 'https://a.example/caching', url: one },
    ]);
  });

  it('reads what is repeated word for word, and takes the longer quote', () => {
    expect(cited('So it keeps the computed prefix of a prompt for later requests.')).toEqual([
      { text: 'keeps the computed prefix of a prompt for later requests', url: one },
    ]);
    expect(cited('It keeps the computed prefix of a prompt for later requests, which are cheap.')).toEqual([
      { text: 'keeps the computed prefix of a prompt for later requests, which are cheap', url: two },
    ]);
  });

  it('takes the answer’s own word for its source before what it repeats', () => {
    expect(cited('It keeps the computed prefix of a prompt [2] for later requests.')).toEqual([
      { text: '[2]', url: two },
    ]);
  });

  it('counts Unicode code points, the end exclusive', () => {
    expect(citeSources('🚀🚀 [1]', sources)).toMatchObject([{ startIndex: 3, endIndex: 6 }]);
  });

  it.each([
    ['numbers that no source has', 'It is cheap [3] [0] [12], says Source 9 of open source 1234.'],
    ['code', 'Use `rows[1]` or\n```\nrows[2]\n```'],
    ['short titles', 'Home is where it is.'],
    ['parts of longer addresses', 'https://b.example/other'],
    ['titles within words', 'Context caching explainedly'],
    ['a few words in common', 'It is the computed prefix of a prompt.'],
  ])('invents nothing from %s', (_, text) => expect(cited(text)).toEqual([]));
});
