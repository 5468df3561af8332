/**
 * Which passages of which pages answer a question: BM25 over all passages of all pages. Pure and slow (words of a long
 * page take tens of milliseconds), so it runs in a worker thread; see `passage-ranker.ts`.
 */
import { listContentWords, listWords } from './list-words.ts';
import { splitPassages } from './split-passages.ts';

export interface PageText {
  readonly title: string;
  readonly text: string;
}

export interface RankedPassage {
  /** Position of its page. */
  readonly page: number;
  /** Position within the page. */
  readonly position: number;
  readonly text: string;
  readonly score: number;
}

/**
 * BM25's constants: how soon repeating a word stops to count, how much length counts against a passage (less than the
 * usual 0.75, because passages are cut to about one length: what is shorter is a heading or a line, not more to the point).
 */
const saturation = 1.2;
const lengthWeight = 0.5;
/** A word of the title stands for the whole page, so it counts a little in each of its passages. */
const titleWeight = 0.4;
/** Backends judge by more than words: of two equally good passages the higher ranked page's is taken. */
const rankWeight = 0.15;
/** Beyond this a page is read no further: a book would crowd out every other page. */
const passagesPerPageMax = 300;
/** Words of a question; each is counted in every passage. */
const termsMax = 400;

/** `pages` in the order of the search; best passage first, at most `countMax`. */
export function rankPassages(
  pages: readonly PageText[],
  question: string,
  countMax: number,
): readonly RankedPassage[] {
  const terms = listContentWords(question).slice(0, termsMax);
  const passages = pages.flatMap(({ title, text }, page) => {
    const titleWords = new Set(listWords(title));
    return splitPassages(text)
      .slice(0, passagesPerPageMax)
      .map((passage, position) => countTerms({ page, position, text: passage }, terms, titleWords));
  });
  const lengthMean = passages.reduce((sum, { length }) => sum + length, 0) / Math.max(passages.length, 1);
  const weights = terms.map((_, term) => {
    const holders = passages.filter(({ counts }) => (counts[term] ?? 0) > 0).length;
    return Math.log(1 + (passages.length - holders + 0.5) / (holders + 0.5));
  });
  const weightTotal = weights.reduce((sum, weight) => sum + weight, 0);
  return passages
    .map(({ counts, length, isInTitle, ...passage }) => {
      const norm = saturation * (1 - lengthWeight + (lengthWeight * length) / Math.max(lengthMean, 1));
      const score = weights.reduce((sum, weight, term) => {
        const count = (counts[term] ?? 0) + (isInTitle[term] === true ? titleWeight : 0);
        return sum + (weight * count * (saturation + 1)) / (count + norm);
      }, 0);
      // A passage with all that was asked about answers sooner than one that repeats its rarest word.
      const covered = weights.reduce((sum, weight, term) => {
        return (counts[term] ?? 0) > 0 || isInTitle[term] === true ? sum + weight : sum;
      }, 0);
      const coverage = covered / Math.max(weightTotal, Number.MIN_VALUE);
      return { ...passage, score: score * coverage * (1 + rankWeight / (1 + passage.page)) };
    })
    .sort(
      (left, right) => right.score - left.score || left.page - right.page || left.position - right.position,
    )
    .slice(0, countMax);
}

interface CountedPassage extends Omit<RankedPassage, 'score'> {
  /** In words. */
  readonly length: number;
  /** How often each term occurs, by position of the term. */
  readonly counts: readonly number[];
  readonly isInTitle: readonly boolean[];
}

function countTerms(
  passage: Omit<RankedPassage, 'score'>,
  terms: readonly string[],
  titleWords: ReadonlySet<string>,
): CountedPassage {
  const words = listWords(passage.text);
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return {
    ...passage,
    length: words.length,
    counts: terms.map((term) => counts.get(term) ?? 0),
    isInTitle: terms.map((term) => titleWords.has(term)),
  };
}
