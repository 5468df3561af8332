/** One bounded request to a search service that the operator configured, its failures told apart by status. */
import { type Egress, EgressError } from '../../egress/egress.ts';
import { SearchBackendError, type SearchFailure } from '../search-backend.ts';

export interface SearchServiceOptions {
  readonly egress: Egress;
  /** Where the service answers; only tests and operators with a proxy of their own change it. */
  readonly baseUrl: string;
  /** A whole answer has to come within this time. */
  readonly timeoutMs: number;
}

interface ServiceRequest {
  readonly backendId: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Present = POST with a JSON body. */
  readonly body?: unknown;
}

/** Twenty results with the text of their pages stay below this by far. */
const answerBytesMax = 4_000_000;

/** The parsed body of a 2xx answer. Throws SearchBackendError, or the signal's reason. */
export async function requestJson(
  { egress, timeoutMs }: SearchServiceOptions,
  request: ServiceRequest,
  signal: AbortSignal,
): Promise<unknown> {
  const { backendId, url, headers, body } = request;
  const fail = (failure: SearchFailure, detail: string, cause?: unknown): SearchBackendError =>
    new SearchBackendError(backendId, failure, { detail, cause });
  let response: Awaited<ReturnType<Egress['fetch']>>;
  try {
    response = await egress.fetch({
      url: url.href,
      signal,
      isTrusted: true,
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      bytesMax: answerBytesMax,
      timeoutMs,
    });
  } catch (error) {
    if (!(error instanceof EgressError)) throw error;
    throw fail(failureOf(error), error.message, error);
  }
  const failure = classifyStatus(response.status);
  if (failure !== undefined) throw fail(failure, `it answered with status ${response.status}`);
  try {
    return JSON.parse(response.bytes.toString('utf8'));
  } catch (error) {
    throw fail('bad_answer', 'its answer is not JSON', error);
  }
}

function failureOf({ failure }: EgressError): SearchFailure {
  if (failure === 'timeout') return 'timeout';
  return failure === 'too_large' || failure === 'bad_encoding' ? 'bad_answer' : 'unavailable';
}

/** Undefined for success. 432 and 433 are Tavily's own words for a plan that is used up. */
function classifyStatus(status: number): SearchFailure | undefined {
  if (status >= 200 && status < 300) return undefined;
  if (status === 401 || status === 403) return 'refused';
  if (status === 402 || status === 429 || status === 432 || status === 433) return 'rate_limited';
  return status >= 500 ? 'unavailable' : 'bad_answer';
}
