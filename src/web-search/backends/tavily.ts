/** Tavily's search (docs.tavily.com/documentation/api-reference/endpoint/search). It sends the pages' text along. */
import { z } from 'zod';
import type { SearchBackend } from '../search-backend.ts';
import { parseAnswer, readResults } from './read-results.ts';
import { requestJson, type SearchServiceOptions } from './request-json.ts';

const answerSchema = z.object({
  results: z.array(
    z.object({
      url: z.unknown().optional(),
      title: z.unknown().optional(),
      content: z.unknown().optional(),
      raw_content: z.unknown().optional(),
      published_date: z.unknown().optional(),
    }),
  ),
});

export const tavilyUrl = 'https://api.tavily.com/search';
/** The service refuses more of either. */
const limits = { count: 20, queryLength: 400 } as const;

export function createTavilyBackend(
  options: SearchServiceOptions & { readonly apiKey: string },
): SearchBackend {
  const id = 'tavily';
  return {
    id,
    async search({ text, countMax }, signal) {
      const request = {
        backendId: id,
        url: new URL(options.baseUrl),
        headers: { authorization: `Bearer ${options.apiKey}` },
        body: {
          query: text.slice(0, limits.queryLength),
          max_results: Math.min(countMax, limits.count),
          search_depth: 'basic',
          include_raw_content: 'text',
        },
      };
      const { results } = parseAnswer(id, await requestJson(options, request, signal), answerSchema);
      const pages = results.map(({ content, raw_content, published_date, ...page }) => {
        return { ...page, snippet: content, text: raw_content, publishedAt: published_date };
      });
      return readResults(pages, countMax);
    },
  };
}
