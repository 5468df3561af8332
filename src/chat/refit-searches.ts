/** Sources that a window has no room for, cut to the best that it has room for. */
import { fitExcerpts } from '../web-search/fit-excerpts.ts';
import type { StoredSearch } from '../web-search/stored-search.ts';
import type { ExpandedSearch } from './expand-searches.ts';

export interface RefitOptions {
  readonly countTokens: (text: string) => Promise<number>;
  /** Tokens that are left beside a prompt with these searches. Throws when even that prompt is too long. */
  readonly measure: (searches: readonly ExpandedSearch[]) => Promise<number>;
}

/** Each search, however often it is named, gets a share of the room as large as its share of all sources' tokens. */
export async function refitSearches(
  searches: readonly ExpandedSearch[],
  { countTokens, measure }: RefitOptions,
): Promise<readonly ExpandedSearch[]> {
  const room = await measure(
    searches.map(({ position, search }) => ({ position, search: { ...search, sources: [] } })),
  );
  const distinct = [...new Set(searches.map(({ search }) => search))];
  const total = distinct.reduce((sum, { tokens }) => sum + tokens, 0);
  const refitted = new Map(
    await Promise.all(
      distinct.map(async (search) => {
        const tokensMax = Math.floor((room * search.tokens) / Math.max(total, 1));
        return [search, await refit(search, { tokensMax, countTokens })] as const;
      }),
    ),
  );
  return searches.map(({ position, search }) => ({ position, search: refitted.get(search) ?? search }));
}

async function refit(search: StoredSearch, budget: Parameters<typeof fitExcerpts>[1]): Promise<StoredSearch> {
  const excerpts = search.sources
    .flatMap((source, index) => source.excerpts.map((excerpt) => ({ ...excerpt, source: index })))
    .sort((left, right) => left.rank - right.rank);
  const { sources, tokens } = await fitExcerpts({ ...search, excerpts }, budget);
  return { ...search, sources, tokens };
}
