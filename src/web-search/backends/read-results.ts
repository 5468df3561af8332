/** Services differ in the names of their fields only: this reads what any of them sent into results. */
import type { z } from 'zod';
import { SearchBackendError, type SearchResult } from '../search-backend.ts';

/** What a service said about one page, by our names. Whatever is no text counts as absent. */
export interface FoundPage {
  readonly url?: unknown;
  readonly title?: unknown;
  readonly snippet?: unknown;
  readonly publishedAt?: unknown;
  readonly text?: unknown;
}

const titleLengthMax = 300;
const snippetLengthMax = 2_000;
/** Of a page's text that a service sent along; longer pages are cut. */
const textLengthMax = 60_000;

/** Throws SearchBackendError `bad_answer`. */
export function parseAnswer<Answer>(backendId: string, answer: unknown, schema: z.ZodType<Answer>): Answer {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new SearchBackendError(backendId, 'bad_answer', {
    detail: 'its answer holds no list of results',
    cause: parsed.error,
  });
}

/** At most `countMax` results; pages without an http address, or with a password in it, are left out. */
export function readResults(pages: readonly FoundPage[], countMax: number): readonly SearchResult[] {
  const results: SearchResult[] = [];
  for (const page of pages) {
    if (results.length >= countMax) break;
    results.push(...readResult(page));
  }
  return results;
}

function readResult(page: FoundPage): readonly SearchResult[] {
  const url = URL.parse(asText(page.url));
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return [];
  // No page that anybody may read is found behind a password, and none is shown in an answer.
  if (url.username !== '' || url.password !== '') return [];
  const publishedAt = readDate(page.publishedAt);
  const text = asText(page.text).slice(0, textLengthMax).trim();
  return [
    {
      url: url.href,
      title: readLine(page.title, titleLengthMax) || url.hostname,
      snippet: readLine(page.snippet, snippetLengthMax),
      ...(publishedAt !== undefined && { publishedAt }),
      ...(text !== '' && { text }),
    },
  ];
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : '');

/** ISO 8601; undefined for what is no date (`3 days ago`). */
function readDate(value: unknown): string | undefined {
  const text = asText(value);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return undefined;
  return Number.isNaN(Date.parse(text)) ? undefined : text.slice(0, 'yyyy-mm-dd'.length);
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  '#x27': "'",
  nbsp: ' ',
};

/** Markup is longer than what it marks, but not by more than this; no more of a text is looked at. */
const markupFactor = 4;

const readLine = (value: unknown, lengthMax: number): string =>
  stripMarkup(asText(value).slice(0, lengthMax * markupFactor)).slice(0, lengthMax);

/** Services mark the words that matched (`<strong>`) and escape the rest. */
function stripMarkup(text: string): string {
  return text
    .replace(/<\/?(?:strong|b|em|i|mark|span|br)(?:\s[^<>]*)?\/?>/gi, '')
    .replace(
      /&(amp|lt|gt|quot|#39|#x27|nbsp);/gi,
      (whole, name: string) => entities[name.toLowerCase()] ?? whole,
    )
    .replace(/\s+/g, ' ')
    .trim();
}
