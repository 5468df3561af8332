/**
 * One search from the query to sources that fit a prompt: backends, pages, the passages that matter, a row that the
 * next request can name. This folder knows pages and texts; when a model may search is decided by `chat/`.
 */

import { chooseExcerpts } from './choose-excerpts.ts';
import { detectLanguage } from './detect-language.ts';
import { findPages } from './find-pages.ts';
import { fitExcerpts, type TokenBudget } from './fit-excerpts.ts';
import type { PassageRanker } from './passage-ranker.ts';
import { readPages } from './read-pages.ts';
import type { PageReader, SearchBackend, SearchBackendError } from './search-backend.ts';
import type { SearchRecords } from './search-records.ts';
import type { StoredSearch } from './stored-search.ts';
import { createTurnstile } from './turnstile.ts';
import { type SourceList, type SourceStyle, writeSources } from './write-sources.ts';

export interface SearchAsk extends TokenBudget {
  readonly accountId: number;
  readonly query: string;
  /** What the user wants to know; excerpts are chosen by it and the query together. */
  readonly question: string;
  /** Number of the first source. */
  readonly firstNumber: number;
  readonly style: SourceStyle;
  /** Names the turn in the log. */
  readonly inferenceId: string;
}

export interface WebSearch {
  /**
   * Always ends with a row: a search that failed is one without sources. Throws the signal's reason, and StoreError
   * when the row cannot be written.
   */
  search(ask: SearchAsk, signal: AbortSignal): Promise<StoredSearch>;
  /** Undefined for an id that is unknown, expired or another account's. */
  find(accountId: number, searchId: string): Promise<StoredSearch | undefined>;
  /** The most sources that a search can have. */
  readonly resultsMax: number;
}

export interface WebSearchOptions {
  /** In the order in which they are tried. */
  readonly backends: readonly SearchBackend[];
  readonly pages: PageReader;
  readonly records: SearchRecords;
  readonly ranker: PassageRanker;
  readonly limits: SearchLimits;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onSearch?: (report: SearchReport) => void;
}

export interface SearchLimits {
  /** Results that are looked at. */
  readonly resultsMax: number;
  /** Of those, how many pages are read. */
  readonly pagesMax: number;
  /** How long the backends may take together. */
  readonly searchMs: number;
  /** How long the pages may take together; what has not come by then is represented by its snippet. */
  readonly pagesMs: number;
}

/** What a search took and met; for the log, the metrics and the benchmark. */
export interface SearchReport {
  readonly inferenceId: string;
  readonly accountId: number;
  readonly outcome: 'found' | 'empty' | 'failed';
  readonly resultCount: number;
  readonly sourceCount: number;
  readonly tokens: number;
  /** `backend: failure`. */
  readonly backendFailures: readonly string[];
  /** `host: failure`. */
  readonly pageFailures: readonly string[];
  /** Wall times in milliseconds; `fetch` and `extract` are those of the slowest page. */
  readonly durations: {
    readonly search: number;
    readonly fetch: number;
    readonly extract: number;
    readonly excerpt: number;
  };
}

/**
 * Searches under way at a time: enough to keep the threads that read pages busy. One that waits for slow sites does not
 * keep the others waiting for long: after half the time that reading may take they begin all the same.
 */
const searchesMax = 8;

export function createWebSearch(options: WebSearchOptions): WebSearch {
  const turnstile = createTurnstile({ insideMax: searchesMax, patienceMs: options.limits.pagesMs / 2 });
  return {
    async search(ask, signal) {
      const leave = await turnstile.enter(0, signal);
      return await search(options, ask, signal).finally(leave);
    },
    find: (accountId, searchId) => options.records.find(accountId, searchId),
    resultsMax: options.limits.resultsMax,
  };
}

async function search(options: WebSearchOptions, ask: SearchAsk, signal: AbortSignal): Promise<StoredSearch> {
  const startedAt = performance.now();
  const { backends, limits } = options;
  const language = detectLanguage(ask.query);
  const wanted = { text: ask.query, countMax: limits.resultsMax, language };
  const found = await findPages({ backends, searchMs: limits.searchMs }, wanted, signal);
  const foundAt = performance.now();
  const reading = await readPages(found.results, options, signal);
  const readAt = performance.now();
  const { query, question, firstNumber, style } = ask;
  const about = { query, question, firstNumber, style, searchedAt: options.now() };
  const excerpts = await chooseExcerpts(options.ranker, reading.pages, about, signal);
  const fitted = await fitExcerpts({ ...about, sources: reading.pages, excerpts }, ask);
  const isFailed = !found.isAnswered;
  const list: SourceList = { ...about, sources: fitted.sources, isFailed };
  const tokens = isFailed ? await ask.countTokens(writeSources(list)) : fitted.tokens;
  const stored = await options.records.add(ask.accountId, { ...list, tokens });
  options.onSearch?.({
    inferenceId: ask.inferenceId,
    accountId: ask.accountId,
    outcome: isFailed ? 'failed' : stored.sources.length > 0 ? 'found' : 'empty',
    resultCount: found.results.length,
    sourceCount: stored.sources.length,
    tokens,
    backendFailures: found.failures.map(describeFailure),
    pageFailures: reading.failures,
    durations: {
      search: foundAt - startedAt,
      fetch: reading.fetchMs,
      extract: reading.extractMs,
      excerpt: performance.now() - readAt,
    },
  });
  return stored;
}

const describeFailure = ({ backendId, failure }: SearchBackendError): string => `${backendId}: ${failure}`;
