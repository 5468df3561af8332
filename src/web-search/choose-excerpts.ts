/** The passages of some pages that are worth a place in the prompt, best first. */
import type { RankedExcerpt } from './fit-excerpts.ts';
import type { PassageRanker } from './passage-ranker.ts';
import type { PageText, RankedPassage } from './rank-passages.ts';

/** Far more than the largest budget holds. */
const excerptsMax = 80;
/** What is so much worse than the best passage is about something else. */
const relevanceMin = 0.2;
/** Passages of one page that are taken before those of the others. */
const perPageMax = 6;

/** Throws the signal's reason, and ApiError `internal_error` when the ranking thread breaks. */
export async function chooseExcerpts(
  ranker: PassageRanker,
  pages: readonly PageText[],
  { query, question }: { readonly query: string; readonly question: string },
  signal: AbortSignal,
): Promise<readonly RankedExcerpt[]> {
  if (pages.length === 0) return [];
  const text = `${query}\n${question}`;
  const ranked = await ranker.rank(pages, { text, countMax: excerptsMax }, signal);
  const best = ranked[0]?.score ?? 0;
  // No word of the question occurs, as when it is in another language than the pages: their beginnings have to do.
  const relevant =
    best > 0
      ? ranked.filter(({ score }) => score >= best * relevanceMin)
      : ranked.filter(({ position }) => position === 0);
  return spreadOverPages(relevant).map(({ page, position, text: passage }) => {
    return { source: page, position, text: passage };
  });
}

/** One long page that fits well must not push every other source out. */
function spreadOverPages(passages: readonly RankedPassage[]): readonly RankedPassage[] {
  const counts = new Map<number, number>();
  const { first = [], later = [] } = Object.groupBy(passages, ({ page }) => {
    const count = (counts.get(page) ?? 0) + 1;
    counts.set(page, count);
    return count <= perPageMax ? 'first' : 'later';
  });
  return [...first, ...later];
}
