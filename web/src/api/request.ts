/**
 * How the app talks to its server: the same origin, the session's cookie, the header that no foreign page can send.
 * Every failure is an `ApiFailure`. Answers are trusted to have the shape of `types.ts`, which is taken from the
 * server's own schemas.
 */
import { ApiFailure, readFailure } from './api-failure.ts';

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Undefined values are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The answer's JSON, or undefined for an empty one. Throws ApiFailure, or AbortError when the signal fires. */
export async function request<Answer>(path: string, options: ApiRequest = {}): Promise<Answer> {
  const response = await send(path, options);
  if (response.status === 204) return undefined as Answer; // Callers of such endpoints ask for `void`.
  return (await response.json()) as Answer; // The server validates what it sends against the same schema.
}

/** The answer itself, for streams and downloads. Throws like `request`. */
export async function send(path: string, options: ApiRequest = {}): Promise<Response> {
  const { method = 'GET', body, query, headers, signal } = options;
  let response: Response;
  try {
    response = await fetch(withQuery(path, query), {
      method,
      headers: {
        'x-perigee-csrf': '1',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw new ApiFailure({ status: 0, code: 'unreachable', message: 'The server cannot be reached.', cause });
  }
  if (!response.ok) throw await readFailure(response);
  return response;
}

function withQuery(path: string, query: ApiRequest['query'] = {}): string {
  const parameters = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return parameters.length === 0 ? path : `${path}?${new URLSearchParams(parameters)}`;
}
