/** Exa's search (docs.exa.ai/reference/search). It sends the pages' text along. */
import { z } from 'zod';
import type { SearchBackend } from '../search-backend.ts';
import { parseAnswer, readResults } from './read-results.ts';
import { requestJson, type SearchServiceOptions } from './request-json.ts';

const answerSchema = z.object({
  results: z.array(
    z.object({
      url: z.unknown().optional(),
      title: z.unknown().optional(),
      text: z.unknown().optional(),
      publishedDate: z.unknown().optional(),
    }),
  ),
});

export const exaUrl = 'https://api.exa.ai/search';
/** More than an excerpt can use, less than whole books. */
const charactersPerPageMax = 20_000;
const snippetLength = 500;

export function createExaBackend(options: SearchServiceOptions & { readonly apiKey: string }): SearchBackend {
  const id = 'exa';
  return {
    id,
    async search({ text, countMax }, signal) {
      const request = {
        backendId: id,
        url: new URL(options.baseUrl),
        headers: { 'x-api-key': options.apiKey },
        body: {
          query: text,
          numResults: countMax,
          type: 'auto',
          contents: { text: { maxCharacters: charactersPerPageMax } },
        },
      };
      const { results } = parseAnswer(id, await requestJson(options, request, signal), answerSchema);
      const pages = results.map(({ publishedDate, ...page }) => {
        const snippet = typeof page.text === 'string' ? page.text.slice(0, snippetLength) : '';
        return { ...page, snippet, publishedAt: publishedDate };
      });
      return readResults(pages, countMax);
    },
  };
}
