/**
 * The connections to one upstream server. undici's pool is driven by `dispatch`, not by fetch: this is the path of
 * every streamed token. A request is sent a second time only when the first one cannot have been worked on.
 */
import { buildConnector, type Dispatcher, Pool } from 'undici';
import { parseJson } from '../../parse-json.ts';
import { isUnreachable } from './classify-error.ts';
import type { Upstream } from './upstream-options.ts';

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** `onEnd` or `onError` comes last, exactly once, and never after `abort`. */
export interface ResponseHandler {
  onResponse(status: number, headers: ResponseHeaders): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  onError(error: Error): void;
}

export interface RequestControl {
  /** Destroys the connection at once: the only way to tell an HTTP/1.1 server to stop. */
  abort(): void;
  pause(): void;
  resume(): void;
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST';
  /** Absolute path at the upstream's address. */
  readonly path: string;
  readonly body?: string;
}

/** Times a request is sent again because its connection turned out to be dead. */
const RESENDS_MAX = 2;

/** Largest small exchange: the token ids of the longest window stay far below it. */
const JSON_BYTES_MAX = 32 * 1024 * 1024;

/** Owns the pool. */
export class UpstreamConnection {
  readonly #pool: Pool;
  readonly #headers: Record<string, string>;
  /** Errors of connections that had worked before; see `connect`. */
  readonly #staleErrors = new WeakSet<Error>();

  constructor(upstream: Upstream) {
    const connect = buildConnector({ timeout: upstream.timeouts.connectMs, allowH2: false });
    this.#pool = new Pool(upstream.baseUrl.origin, {
      // Beside the turns: the health probe and the token counter.
      connections: upstream.connectionsMax + 4,
      pipelining: 1,
      // Our own timers watch an answer: undici's are coarse and know no first byte.
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
      connect: (options, callback) => {
        connect(options, (...[error, socket]) => {
          if (error !== null) {
            callback(error, null);
            return;
          }
          // Registered before undici's listener, so an error is known to be stale when it arrives there.
          socket.on('error', (failure: Error) => {
            if (socket.bytesRead > 0) this.#staleErrors.add(failure);
          });
          callback(null, socket);
        });
      },
    });
    this.#headers = {
      ...upstream.headers,
      ...(upstream.apiKey !== undefined && { authorization: `Bearer ${upstream.apiKey}` }),
      'content-type': 'application/json',
      accept: 'text/event-stream, application/json',
      'accept-encoding': 'identity',
    };
  }

  send(request: UpstreamRequest, handler: ResponseHandler): RequestControl {
    let controller: Dispatcher.DispatchController | undefined;
    let isAborted = false;
    let hasResponse = false;
    let sentCount = 0;

    const dispatch = (): void => {
      sentCount += 1;
      this.#pool.dispatch(
        { method: request.method, path: request.path, headers: this.#headers, body: request.body ?? null },
        {
          onRequestStart(started) {
            controller = started;
            if (isAborted) started.abort(new Error('aborted'));
          },
          onResponseStart(_, status, headers) {
            // An informational answer (1xx) precedes the real one.
            if (status < 200) return;
            hasResponse = true;
            if (!isAborted) handler.onResponse(status, headers);
          },
          onResponseData(_, chunk) {
            if (!isAborted) handler.onData(chunk);
          },
          onResponseEnd() {
            if (!isAborted) handler.onEnd();
          },
          onResponseError: (_, error) => {
            if (isAborted) return;
            const isUnworked = !hasResponse && (isUnreachable(error) || this.#isStale(error));
            if (isUnworked && sentCount <= RESENDS_MAX) dispatch();
            else handler.onError(error);
          },
        },
      );
    };

    dispatch();
    return {
      abort() {
        if (isAborted) return;
        isAborted = true;
        controller?.abort(new Error('aborted'));
      },
      pause: () => controller?.pause(),
      resume: () => controller?.resume(),
    };
  }

  /** A small JSON exchange. Rejects with the transport's error, or the signal's reason. */
  async requestJson(request: UpstreamRequest, signal: AbortSignal): Promise<JsonResponse> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<JsonResponse>();
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    let status = 0;
    let headers: ResponseHeaders = {};
    const control = this.send(request, {
      onResponse(receivedStatus, receivedHeaders) {
        status = receivedStatus;
        headers = receivedHeaders;
      },
      onData(chunk) {
        sizeBytes += chunk.length;
        if (sizeBytes <= JSON_BYTES_MAX) {
          chunks.push(chunk);
          return;
        }
        control.abort();
        reject(new Error(`the answer to ${request.path} is larger than ${JSON_BYTES_MAX} bytes`));
      },
      onEnd: () => resolve({ status, headers, body: parseBody(Buffer.concat(chunks).toString('utf8')) }),
      onError: reject,
    });
    const onAbort = (): void => {
      control.abort();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  /** The peer closed a kept connection before it read the request: the usual end of a keep-alive. */
  #isStale(error: Error): boolean {
    if (this.#staleErrors.has(error)) return true;
    const socket = 'socket' in error ? error.socket : undefined;
    const bytesRead =
      typeof socket === 'object' && socket !== null && 'bytesRead' in socket ? socket.bytesRead : 0;
    return typeof bytesRead === 'number' && bytesRead > 0;
  }
}

export interface JsonResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** Parsed JSON, or the text when it is none. */
  readonly body: unknown;
}

export function parseBody(text: string): unknown {
  const value = parseJson(text);
  return value === undefined ? text : value;
}
