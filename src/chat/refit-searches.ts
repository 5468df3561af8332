/** Sources that a window has no room for, cut to the best that it has room for. */
import { fitExcerpts } from '../web-search/fit-excerpts.ts';
import type { StoredSearch } from '../web-search/stored-search.ts';
import type { ExpandedSearch } from './expand-searches.ts';

export interface RefitOptions {
  readonly countTokens: (text: string) => Promise<number>;
  /** Tokens that are left beside a prompt with these searches. Throws when even that prompt is too long. */
  readonly measure: (searches: readonly ExpandedSearch[]) => Promise<number>;
}

/** Each gets a share of the room as large as its share of all sources' tokens. */
export async function refitSearches(
  searches: readonly ExpandedSearch[],
  { countTokens, measure }: RefitOptions,
): Promise<readonly ExpandedSearch[]> {
  const room = await measure(
    searches.map(({ position, search }) => ({ position, search: { ...search, sources: [] } })),
  );
  const total = searches.reduce((sum, { search }) => sum + search.tokens, 0);
  return Promise.all(
    searches.map(async ({ position, search }) => {
      const tokensMax = Math.floor((room * search.tokens) / Math.max(total, 1));
      return { position, search: await refit(search, { tokensMax, countTokens }) };
    }),
  );
}

async function refit(search: StoredSearch, budget: Parameters<typeof fitExcerpts>[1]): Promise<StoredSearch> {
  const excerpts = search.sources
    .flatMap((source, index) => source.excerpts.map((excerpt) => ({ ...excerpt, source: index })))
    .sort((left, right) => left.rank - right.rank);
  const { sources, tokens } = await fitExcerpts({ ...search, excerpts }, budget);
  return { ...search, sources, tokens };
}
