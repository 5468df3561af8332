/** As many of the best excerpts as fit a number of tokens, counted by the model that will read them. */
import { type Excerpt, type ExcerptedSource, type SourceList, writeSources } from './write-sources.ts';

/** A source without excerpts yet. */
export type SourceFacts = Omit<ExcerptedSource, 'excerpts'>;

export interface RankedExcerpt {
  /** Position of its source. */
  readonly source: number;
  readonly position: number;
  readonly text: string;
}

export interface Candidates extends Omit<SourceList, 'sources' | 'isFailed'> {
  readonly sources: readonly SourceFacts[];
  /** Best first. */
  readonly excerpts: readonly RankedExcerpt[];
}

export interface TokenBudget {
  readonly tokensMax: number;
  readonly countTokens: (text: string) => Promise<number>;
}

export interface FittedSources {
  readonly sources: readonly ExcerptedSource[];
  /** Of the whole text (`write-sources.ts`); at most `tokensMax`, unless nothing is left to leave out. */
  readonly tokens: number;
}

/** Characters of a token, before the first count says what they are in this text. */
const charactersPerToken = 3.5;
/** A list that fills so much of the budget is not tried larger again. */
const fullEnough = 0.85;
const triesMax = 8;
/** Under so many characters a cut excerpt says nothing. */
const excerptLengthMin = 80;

export async function fitExcerpts(candidates: Candidates, budget: TokenBudget): Promise<FittedSources> {
  const { excerpts } = candidates;
  const measure = async (count: number): Promise<FittedSources> => {
    const sources = gatherSources(candidates, excerpts.slice(0, count));
    return { sources, tokens: await budget.countTokens(writeSources(listOf(candidates, sources))) };
  };
  let best: FittedSources | undefined;
  let countMax = excerpts.length;
  let count = countWithin(excerpts, budget.tokensMax * charactersPerToken);
  let countMin = 0;
  for (let attempt = 0; attempt < triesMax && countMax > countMin; attempt += 1) {
    const fitted = await measure(count);
    if (fitted.tokens <= budget.tokensMax) {
      best = fitted;
      countMin = count;
      if (fitted.tokens >= budget.tokensMax * fullEnough) break;
    } else countMax = count - 1;
    if (countMax <= countMin) break;
    const scaled = Math.round((count * budget.tokensMax * 0.95) / Math.max(fitted.tokens, 1));
    count = Math.min(Math.max(scaled, countMin + 1), countMax);
  }
  return best ?? (await cutFirst(candidates, budget));
}

/** Not even the best excerpt fits: its beginning may. */
async function cutFirst(candidates: Candidates, budget: TokenBudget): Promise<FittedSources> {
  const [first] = candidates.excerpts;
  let length = Math.floor(budget.tokensMax * charactersPerToken);
  while (first !== undefined && length >= excerptLengthMin) {
    const text = `${first.text
      .slice(0, length)
      .replace(/[\ud800-\udbff]$/, '')
      .trimEnd()} …`;
    const sources = gatherSources(candidates, [{ ...first, text }]);
    const tokens = await budget.countTokens(writeSources(listOf(candidates, sources)));
    if (tokens <= budget.tokensMax) return { sources, tokens };
    length = Math.floor(length / 2);
  }
  return { sources: [], tokens: await budget.countTokens(writeSources(listOf(candidates, []))) };
}

function listOf(candidates: Candidates, sources: SourceList['sources']): SourceList {
  const { query, question, firstNumber, searchedAt, style } = candidates;
  return { query, question, firstNumber, searchedAt, style, sources, isFailed: false };
}

/** How many excerpts from the front have so many characters; at least one where there is one. */
function countWithin(excerpts: readonly RankedExcerpt[], characters: number): number {
  let left = characters;
  let count = 0;
  for (const { text } of excerpts) {
    left -= text.length;
    if (left < 0 && count > 0) break;
    count += 1;
  }
  return count;
}

/** Sources in the order of their best excerpts; those without any are left out. */
function gatherSources(candidates: Candidates, chosen: readonly RankedExcerpt[]): readonly ExcerptedSource[] {
  const excerptsBySource = new Map<number, Excerpt[]>();
  for (const [rank, { source, position, text }] of chosen.entries()) {
    const excerpts = excerptsBySource.get(source) ?? [];
    excerpts.push({ position, rank, text });
    excerptsBySource.set(source, excerpts);
  }
  return [...excerptsBySource].flatMap(([position, excerpts]) => {
    const facts = candidates.sources[position];
    return facts === undefined ? [] : [{ ...facts, excerpts }];
  });
}
