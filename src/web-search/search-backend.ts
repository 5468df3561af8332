/**
 * THE SEAM of web search: who finds pages, and who reads them. A network backend is a file in `backends/`, so is
 * the local index; reading a page is one function behind the guarded fetch. Nothing here knows a model or a caller.
 */

export interface SearchQuery {
  /** What to look for, as a person would type it. */
  readonly text: string;
  /** At most this many results; a backend may return fewer. */
  readonly countMax: number;
  /** BCP 47 language of the question, e.g. `en` or `zh`, where it is known: a wish, never a filter. */
  readonly language: string | undefined;
}

export interface SearchResult {
  readonly title: string;
  /** Absolute address, http or https; local documents have whatever address the index gives them. */
  readonly url: string;
  /** A few sentences of plain text; empty when the backend gave none. */
  readonly snippet: string;
  /** ISO 8601 date or instant, as the page or the backend states it. */
  readonly publishedAt?: string;
  /** The page's readable text where the backend already has it: such a result is not fetched. */
  readonly text?: string;
}

export interface SearchBackend {
  /** The name in settings, logs and metrics: `searxng`, `brave`, `tavily`, `exa`, `local`. */
  readonly id: string;
  /**
   * Best results first; an empty list is an answer, not a failure. Throws SearchBackendError when the backend cannot
   * answer, and `signal.reason` when the signal fires.
   */
  search(query: SearchQuery, signal: AbortSignal): Promise<readonly SearchResult[]>;
}

/** Why a backend could not answer: decides the order of tries and what the log says, never what a model reads. */
export type SearchFailure =
  /** Not reachable, or it answered 5xx. */
  | 'unavailable'
  | 'timeout'
  /** 401 or 403: the key is wrong, or (SearXNG) the JSON format is off. */
  | 'refused'
  /** 402 or 429: the quota is used up for now. */
  | 'rate_limited'
  /** An answer that is no list of results. */
  | 'bad_answer';

export class SearchBackendError extends Error {
  readonly backendId: string;
  readonly failure: SearchFailure;

  /** `detail` is for the log: no keys, no bodies. */
  constructor(backendId: string, failure: SearchFailure, options: { detail: string; cause?: unknown }) {
    super(`${backendId}: ${options.detail}`, { cause: options.cause });
    this.name = 'SearchBackendError';
    this.backendId = backendId;
    this.failure = failure;
  }
}

/** Why a page could not be read; the sentence for people stands beside it (`detail`). */
export type PageFailure =
  /** The address leads to a place that may not be asked (private networks, other schemes, credentials). */
  | 'forbidden_address'
  /** The site's robots.txt does not want it. */
  | 'robots'
  | 'timeout'
  | 'too_large'
  /** Too many redirects, a broken answer, a refused connection, a status other than 2xx. */
  | 'unreachable'
  /** Neither HTML, text, PDF nor DOCX. */
  | 'unsupported_type'
  /** It was fetched, and holds no readable text. */
  | 'no_text';

export type PageReading =
  | {
      readonly isRead: true;
      readonly page: {
        /** Empty when it has none. */
        readonly title: string;
        /** Plain text, paragraphs separated by blank lines. */
        readonly text: string;
        /** ISO 8601, as the page states it. */
        readonly publishedAt?: string;
        /** Where the redirects ended. */
        readonly url: string;
      };
      /** For the benchmark and the log; a page from the cache took neither. */
      readonly timing: { readonly fetchMs: number; readonly extractMs: number };
    }
  | {
      readonly isRead: false;
      readonly failure: PageFailure;
      /** For people who read logs and for the caller of `moonshot/fetch`: says what was wrong, names no private address. */
      readonly detail: string;
    };

export interface PageReader {
  /**
   * Every failure of the page is a value; only `signal` (its reason) is thrown. `rank` is the page's place in its
   * search, 0 the best (default): when many searches wait, each gets its best page before any gets its second.
   */
  read(url: string, signal: AbortSignal, rank?: number): Promise<PageReading>;
}
