import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidates, fitExcerpts } from './fit-excerpts.ts';
import { writeSources } from './write-sources.ts';

const about = {
  query: 'caching',
  question: 'What is caching?',
  firstNumber: 1,
  style: 'cited',
  searchedAt: 0,
} as const;
const countWords = async (text: string) => text.split(/\s+/).filter((word) => word !== '').length;
/** A tokenizer for which each character is a token, as for scripts that a vocabulary does not have. */
const countCharacters = async (text: string) => text.length;

/** `texts[source]` are the excerpts of a source; best first, one source after the other. */
function createCandidates(...texts: readonly (readonly string[])[]): Candidates {
  return {
    ...about,
    sources: texts.map((_, source) => ({ title: `T${source}`, url: `https://e.example/${source}` })),
    excerpts: texts.flatMap((excerpts, source) =>
      excerpts.map((text, position) => ({ source, position, text })),
    ),
  };
}

const write = (sources: Parameters<typeof writeSources>[0]['sources']) =>
  writeSources({ ...about, sources, isFailed: false });

describe('excerpts', () => {
  it('are all kept where they fit, in the order of their sources’ best', async () => {
    const candidates = createCandidates(['first', 'second'], ['third']);
    const fitted = await fitExcerpts(candidates, { tokensMax: 1_000, countTokens: countWords });
    expect(fitted.sources.map(({ title, excerpts }) => [title, excerpts.map(({ text }) => text)])).toEqual([
      ['T0', ['first', 'second']],
      ['T1', ['third']],
    ]);
    expect(fitted.tokens).toBe(await countWords(write(fitted.sources)));
  });

  it('are left out from the worst on, until the model counts no more tokens than it may', async () => {
    const candidates = createCandidates(
      ...Array.from({ length: 30 }, (_, source) => [`excerpt-${source} ${'word '.repeat(40)}`]),
    );
    const fitted = await fitExcerpts(candidates, { tokensMax: 500, countTokens: countWords });
    expect(fitted.tokens).toBeLessThanOrEqual(500);
    expect(fitted.tokens).toBeGreaterThan(400);
    const titles = fitted.sources.map(({ title }) => title);
    expect(titles).toEqual(titles.map((_, source) => `T${source}`));
  });

  it.each([
    ['words', countWords],
    ['characters', countCharacters],
  ])('never take more than the budget, which counts %s', async (_, countTokens) => {
    const texts = fc.array(fc.array(fc.string({ minLength: 1, maxLength: 600 }), { maxLength: 6 }), {
      maxLength: 8,
    });
    const least = await countTokens(write([]));
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: least, max: 3_000 }), async (sources, tokensMax) => {
        const fitted = await fitExcerpts(createCandidates(...sources), { tokensMax, countTokens });
        expect(fitted.tokens).toBe(await countTokens(write(fitted.sources)));
        expect(fitted.tokens).toBeLessThanOrEqual(tokensMax);
      }),
      { numRuns: 60 },
    );
  });

  it('are cut when not even the best one fits, between characters', async () => {
    const candidates = createCandidates(['🚀'.repeat(2_000)]);
    const fitted = await fitExcerpts(candidates, { tokensMax: 900, countTokens: countCharacters });
    expect(fitted.tokens).toBeLessThanOrEqual(900);
    expect(fitted.sources[0]?.excerpts[0]?.text).toMatch(/^(?:🚀)+ …$/u);
  });

  it('are none where nothing fits: the text says that nothing was found', async () => {
    const candidates = createCandidates(['word '.repeat(500)]);
    const fitted = await fitExcerpts(candidates, { tokensMax: 5, countTokens: countWords });
    expect(fitted).toEqual({ sources: [], tokens: await countWords(write([])) });
  });
});
