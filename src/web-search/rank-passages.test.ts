import { expect, it } from 'vitest';
import { rankPassages } from './rank-passages.ts';

const filler = 'Nothing of what was asked about stands in these words, which only take up room. '.repeat(9);
const best = (text: string, question: string): string =>
  rankPassages([{ title: 'Handbook', text }], question, 10)[0]?.text ?? '';

it('a passage with all that was asked about comes before one that repeats its rarest word', () => {
  const repeating = `Redirects, redirects and redirects: redirects. ${filler}`;
  const answering = `A server follows at most five redirects while it fetches pages. ${filler}`;
  const text = [repeating, answering, `The server fetches pages. ${filler}`].join('\n\n');
  expect(best(text, 'How many redirects follow when the server fetches pages?')).toMatch(/^A server follows/);
});

it('a heading belongs to what stands below it', () => {
  const text =
    '# Prices\n\nA card costs 15 euros a year.\n\n# Opening hours\n\nFrom ten to eight, Sundays never.';
  expect(best(text, 'What are the opening hours?')).toBe(
    '# Opening hours\nFrom ten to eight, Sundays never.',
  );
});

it('a heading is never a passage of its own', () => {
  expect(best(`# Library\n\n## Opening hours\n\n${filler}`, 'What are the opening hours?')).toMatch(
    /^# Library\n## Opening hours\nNothing/,
  );
});

it('passages without a word of the question have no score', () => {
  const ranked = rankPassages([{ title: 'Tea', text: 'Leaves and water.' }], 'bridges', 10);
  expect(ranked.map(({ score }) => score)).toEqual([0]);
});
