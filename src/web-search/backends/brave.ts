/** Brave's Web Search API (api-dashboard.search.brave.com/app/documentation/web-search). */
import { z } from 'zod';
import type { SearchBackend } from '../search-backend.ts';
import { parseAnswer, readResults } from './read-results.ts';
import { requestJson, type SearchServiceOptions } from './request-json.ts';

const answerSchema = z.object({
  // Absent when nothing was found.
  web: z
    .object({
      results: z.array(
        z.object({
          url: z.unknown().optional(),
          title: z.unknown().optional(),
          description: z.unknown().optional(),
          page_age: z.unknown().optional(),
          extra_snippets: z.array(z.string()).optional().catch(undefined),
        }),
      ),
    })
    .optional(),
});

export const braveUrl = 'https://api.search.brave.com/res/v1/web/search';
/** The service refuses more of either. */
const limits = { count: 20, queryLength: 400 } as const;

export function createBraveBackend(
  options: SearchServiceOptions & { readonly apiKey: string },
): SearchBackend {
  const id = 'brave';
  return {
    id,
    async search({ text, countMax }, signal) {
      const url = new URL(options.baseUrl);
      url.searchParams.set('q', text.slice(0, limits.queryLength));
      url.searchParams.set('count', String(Math.min(countMax, limits.count)));
      url.searchParams.set('text_decorations', 'false');
      url.searchParams.set('extra_snippets', 'true');
      url.searchParams.set('result_filter', 'web');
      const headers = { 'x-subscription-token': options.apiKey };
      const answer = await requestJson(options, { backendId: id, url, headers }, signal);
      const { web } = parseAnswer(id, answer, answerSchema);
      const pages = (web?.results ?? []).map(({ description, page_age, extra_snippets = [], ...page }) => {
        const snippets = [description, ...extra_snippets].filter((each) => typeof each === 'string');
        return { ...page, snippet: snippets.join(' '), publishedAt: page_age };
      });
      return readResults(pages, countMax);
    },
  };
}
