/**
 * SearXNG's JSON API (docs.searxng.org/dev/search_api.html). The instance must list `json` under `search.formats` in
 * its settings, else it answers 403; it has no parameter for the number of results.
 */
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
      publishedDate: z.unknown().optional(),
    }),
  ),
});

/** `baseUrl` is the instance's own address. */
export function createSearxngBackend(options: SearchServiceOptions): SearchBackend {
  const id = 'searxng';
  const baseUrl = options.baseUrl.endsWith('/') ? options.baseUrl : `${options.baseUrl}/`;
  return {
    id,
    async search({ text, countMax, language }, signal) {
      const url = new URL('search', baseUrl);
      url.searchParams.set('q', text);
      url.searchParams.set('format', 'json');
      if (language !== undefined) url.searchParams.set('language', language);
      const answer = await requestJson(options, { backendId: id, url }, signal);
      const { results } = parseAnswer(id, answer, answerSchema);
      const pages = results.map(({ content, publishedDate, ...page }) => {
        return { ...page, snippet: content, publishedAt: publishedDate };
      });
      return readResults(pages, countMax);
    },
  };
}
