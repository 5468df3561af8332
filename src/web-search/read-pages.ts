/** The text behind search results: read where that is possible in time, else the snippet that came with them. */
import type { SourceFacts } from './fit-excerpts.ts';
import type { PageReader, PageReading, SearchResult } from './search-backend.ts';

export interface ReadPages {
  /** Results without any text are left out. */
  readonly pages: readonly (SourceFacts & { readonly text: string })[];
  /** `host: failure`, for the log. */
  readonly failures: readonly string[];
  /** Of the slowest page. */
  readonly fetchMs: number;
  readonly extractMs: number;
}

export interface ReadPagesOptions {
  readonly pages: PageReader;
  readonly limits: { readonly pagesMax: number; readonly pagesMs: number };
}

/** Characters of a page that are looked at. */
const pageLengthMax = 250_000;

/** Throws the signal's reason, nothing else. */
export async function readPages(
  results: readonly SearchResult[],
  { pages: reader, limits }: ReadPagesOptions,
  signal: AbortSignal,
): Promise<ReadPages> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(limits.pagesMs)]);
  const toRead = new Set(results.filter(({ text }) => text === undefined).slice(0, limits.pagesMax));
  const readings = await Promise.all(
    results.map((result, rank) =>
      toRead.has(result) ? readInTime(reader, { url: result.url, rank }, limit) : Promise.resolve(undefined),
    ),
  );
  signal.throwIfAborted();
  const timings = readings.flatMap((reading) => (reading?.isRead === true ? [reading.timing] : []));
  const slowest = timings.toSorted((left, right) => totalOf(right) - totalOf(left))[0];
  return {
    pages: results.flatMap((result, index) => describePage(result, readings[index])),
    failures: readings.flatMap((reading, index) => {
      if (reading === undefined || reading.isRead) return [];
      return [`${URL.parse(results[index]?.url ?? '')?.hostname ?? ''}: ${reading.failure}`];
    }),
    fetchMs: slowest?.fetchMs ?? 0,
    extractMs: slowest?.extractMs ?? 0,
  };
}

const totalOf = (timing: { readonly fetchMs: number; readonly extractMs: number }): number =>
  timing.fetchMs + timing.extractMs;

async function readInTime(
  reader: PageReader,
  { url, rank }: { readonly url: string; readonly rank: number },
  signal: AbortSignal,
): Promise<PageReading> {
  try {
    return await reader.read(url, signal, rank);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    return { isRead: false, failure: 'timeout', detail: 'The page did not come in time.' };
  }
}

function describePage(result: SearchResult, reading: PageReading | undefined): ReadPages['pages'] {
  const { title, url, snippet } = result;
  if (reading?.isRead === true) {
    const { page } = reading;
    const text = page.text.slice(0, pageLengthMax);
    const publishedAt = page.publishedAt ?? result.publishedAt;
    return [{ title: page.title || title, url, text, ...(publishedAt !== undefined && { publishedAt }) }];
  }
  const text = result.text ?? snippet;
  if (text.trim() === '') return [];
  return [{ title, url, text, ...(result.publishedAt !== undefined && { publishedAt: result.publishedAt }) }];
}
