/** Asks the backends in the operator's order until there are enough pages; one that fails is passed over. */
import { canonicalUrl } from './canonical-url.ts';
import {
  type SearchBackend,
  SearchBackendError,
  type SearchQuery,
  type SearchResult,
} from './search-backend.ts';

export interface FoundPages {
  /** Best first, every page once. */
  readonly results: readonly SearchResult[];
  /** Of the backends that could not answer, for the log. */
  readonly failures: readonly SearchBackendError[];
  /** At least one backend answered, perhaps with nothing. */
  readonly isAnswered: boolean;
}

/** How quickly a lower place counts for less (reciprocal rank fusion; 60 is the value of the paper by Cormack et al.). */
const rankSmoothing = 60;

export interface FindOptions {
  readonly backends: readonly SearchBackend[];
  /** What they may take together. */
  readonly searchMs: number;
}

/**
 * Throws the signal's reason, nothing else. A backend that throws what is no SearchBackendError has a defect: it is
 * passed over too, so that one of them cannot take the search down.
 */
export async function findPages(
  { backends, searchMs }: FindOptions,
  query: SearchQuery,
  signal: AbortSignal,
): Promise<FoundPages> {
  const endsAt = performance.now() + searchMs;
  const answers: (readonly SearchResult[])[] = [];
  const failures: SearchBackendError[] = [];
  for (const [index, backend] of backends.entries()) {
    const leftMs = endsAt - performance.now();
    if (leftMs <= 0 || mergeResults(answers).length >= query.countMax) break;
    // One that hangs leaves time for those behind it.
    const isLast = index === backends.length - 1;
    const limit = AbortSignal.timeout(Math.ceil(isLast ? leftMs : leftMs / 2));
    try {
      answers.push(await backend.search(query, AbortSignal.any([signal, limit])));
    } catch (thrown) {
      signal.throwIfAborted();
      failures.push(limit.aborted ? tooSlow(backend.id) : asBackendError(backend.id, thrown));
    }
  }
  const results = mergeResults(answers).slice(0, query.countMax);
  return { results, failures, isAnswered: answers.length > 0 };
}

const tooSlow = (id: string): SearchBackendError =>
  new SearchBackendError(id, 'timeout', { detail: 'its time was over' });

function asBackendError(id: string, thrown: unknown): SearchBackendError {
  if (thrown instanceof SearchBackendError) return thrown;
  return new SearchBackendError(id, 'unavailable', { detail: 'it failed unexpectedly', cause: thrown });
}

/** One page that several backends found is one result, and stands higher for it. */
function mergeResults(answers: readonly (readonly SearchResult[])[]): readonly SearchResult[] {
  const merged = new Map<string, { result: SearchResult; score: number }>();
  for (const answer of answers) {
    for (const [rank, result] of answer.entries()) {
      const key = canonicalUrl(result.url);
      const known = merged.get(key);
      const score = (known?.score ?? 0) + 1 / (rankSmoothing + rank);
      merged.set(key, { result: known === undefined ? result : join(known.result, result), score });
    }
  }
  return [...merged.values()].sort((left, right) => right.score - left.score).map(({ result }) => result);
}

/** The first backend's words, and what only the other one knew. */
function join(first: SearchResult, second: SearchResult): SearchResult {
  return {
    ...second,
    ...first,
    snippet: first.snippet.length >= second.snippet.length ? first.snippet : second.snippet,
  };
}
