/** Asks every backend by itself, so that an administrator sees which one answers, with what, and how soon. */
import { type SearchBackend, SearchBackendError, type SearchResult } from './search-backend.ts';

export interface BackendProbe {
  readonly backendId: string;
  readonly durationMs: number;
  readonly outcome:
    | { readonly isAnswered: true; readonly results: readonly SearchResult[] }
    /** `detail` holds no keys and no bodies. */
    | {
        readonly isAnswered: false;
        readonly failure: SearchBackendError['failure'];
        readonly detail: string;
      };
}

/** In the order in which searches try them. */
export type ProbeBackends = (text: string, signal: AbortSignal) => Promise<readonly BackendProbe[]>;

const resultsMax = 5;

export interface ProbeOptions {
  /** What each may take. */
  readonly searchMs: number;
}

/** The returned function throws the signal's reason, nothing else. */
export function createBackendProbe(
  backends: readonly SearchBackend[],
  { searchMs }: ProbeOptions,
): ProbeBackends {
  return async (text, signal) =>
    await Promise.all(backends.map((backend) => probe(backend, { text, searchMs, signal })));
}

interface ProbeAsk extends ProbeOptions {
  readonly text: string;
  readonly signal: AbortSignal;
}

async function probe(backend: SearchBackend, { text, searchMs, signal }: ProbeAsk): Promise<BackendProbe> {
  const limit = AbortSignal.timeout(searchMs);
  const startedAt = performance.now();
  const end = (outcome: BackendProbe['outcome']): BackendProbe => ({
    backendId: backend.id,
    durationMs: performance.now() - startedAt,
    outcome,
  });
  try {
    const query = { text, countMax: resultsMax, language: undefined };
    const results = await backend.search(query, AbortSignal.any([signal, limit]));
    return end({ isAnswered: true, results });
  } catch (thrown) {
    signal.throwIfAborted();
    if (limit.aborted) {
      return end({ isAnswered: false, failure: 'timeout', detail: `no answer within ${searchMs} ms` });
    }
    if (!(thrown instanceof SearchBackendError)) throw thrown;
    return end({ isAnswered: false, failure: thrown.failure, detail: thrown.message });
  }
}
