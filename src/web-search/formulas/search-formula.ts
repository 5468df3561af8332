/** `moonshot/web-search`: the same search as `$web_search`, for clients of the newer protocol. Its output is sealed. */
import { z } from 'zod';
import type { TokenBudget } from '../fit-excerpts.ts';
import { cleanQuery } from '../refine-query.ts';
import { sealSearchId } from '../search-echo.ts';
import type { WebSearch } from '../web-search.ts';
import type { SourceStyle } from '../write-sources.ts';
import { createFormula, type Formula, fail } from './formula.ts';

const schema = z.object({
  query: z.string().min(1).max(2_000).describe('What to search for, in the language of the question.'),
});

/** `planBudget`: no prompt is known yet, so the sources are cut again when one has no room for them. */
export function createSearchFormula(
  webSearch: WebSearch,
  planBudget: (signal: AbortSignal) => Promise<TokenBudget & { readonly style: SourceStyle }>,
): Formula {
  return createFormula({
    name: 'moonshot/web-search',
    functionName: 'web_search',
    description: 'Searches the web and returns texts of the pages that fit best.',
    scope: 'web_search',
    mayCharge: true,
    schema,
    async act({ query: asked }, { accountId, inferenceId, signal }) {
      const query = cleanQuery(asked);
      const budget = await planBudget(signal);
      const search = await webSearch.search(
        { accountId, inferenceId, query, question: query, firstNumber: 1, ...budget },
        signal,
      );
      if (search.isFailed) return fail('The search failed: no search service answered. Try again later.');
      return {
        status: 'succeeded',
        output: { isSealed: true, text: sealSearchId(search.searchId) },
        references: search.sources.map(({ title, url }) => ({ title, url })),
        isCharged: search.sources.length > 0,
      };
    },
  });
}
