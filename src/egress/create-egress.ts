/**
 * The one door for every fetch of an address that a user, a model or a page named. What is fetched, from where and
 * how much of it is decided here; what the bytes mean is not. Addresses that the operator configured use the
 * same door in trusted mode: private networks and any port, with the same bounds.
 */
import { Agent, type Dispatcher } from 'undici';
import { createAllowList } from './allow-list.ts';
import { classifyTransportError } from './classify-transport-error.ts';
import { type Egress, EgressError, type EgressRequest, type EgressResponse } from './egress.ts';
import { createGuardedConnector, type ResolveHost } from './guarded-connector.ts';
import { createUrlJudge, type JudgeUrl, parseUrl } from './judge-url.ts';
import { acceptEncoding, discardBody, readBoundedBody } from './read-bounded-body.ts';

export interface EgressOptions {
  /** See `allow-list.ts`. */
  readonly allowHosts: readonly string[];
  /** Ports that addresses of strangers may name. */
  readonly ports: readonly number[];
  /** Sent with every request, so that a site's owner knows whom to ask. */
  readonly userAgent: string;
  /** Default: the system's resolver. */
  readonly resolveHost?: ResolveHost;
}

export const egressDefaults = { bytesMax: 5_000_000, timeoutMs: 10_000, redirectsMax: 5 } as const;

const connectTimeoutMs = 5_000;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

export function createEgress(options: EgressOptions): Egress {
  const allowList = createAllowList(options.allowHosts, options.ports);
  // Two pools: a connection that was opened in trust must not be handed to a stranger.
  const agentOptions = { allowH2: false, pipelining: 1, keepAliveTimeout: 4_000 } as const;
  const connections: Connections = {
    judgeUrl: createUrlJudge(allowList, options.ports),
    userAgent: options.userAgent,
    guarded: new Agent({
      ...agentOptions,
      connect: createGuardedConnector({ ...options, allowList, connectTimeoutMs }),
    }),
    trusted: new Agent({ ...agentOptions, connect: { timeout: connectTimeoutMs } }),
  };
  return {
    async fetch(request) {
      request.signal.throwIfAborted();
      const timeoutMs = request.timeoutMs ?? egressDefaults.timeoutMs;
      const deadline = AbortSignal.timeout(timeoutMs);
      try {
        return await fetchHops(connections, request, AbortSignal.any([request.signal, deadline]));
      } catch (error) {
        request.signal.throwIfAborted();
        if (!deadline.aborted) throw classifyTransportError(error, request.url);
        const message = `There was no whole answer within ${timeoutMs / 1_000} s.`;
        throw new EgressError('timeout', message, { cause: error });
      }
    },
    async close() {
      await Promise.all([connections.guarded.destroy(), connections.trusted.destroy()]);
    },
  };
}

interface Connections {
  readonly judgeUrl: JudgeUrl;
  readonly userAgent: string;
  readonly guarded: Dispatcher;
  readonly trusted: Dispatcher;
}

/** Follows redirects, each of which is judged as the address itself was. */
async function fetchHops(
  connections: Connections,
  request: EgressRequest,
  signal: AbortSignal,
): Promise<EgressResponse> {
  const { isTrusted = false, method = 'GET' } = request;
  const bytesMax = request.bytesMax ?? egressDefaults.bytesMax;
  const redirectsMax = request.redirectsMax ?? egressDefaults.redirectsMax;
  const start = connections.judgeUrl(parseUrl(request.url), isTrusted);
  let url = start;
  for (let redirects = 0; ; redirects += 1) {
    const isHome = url.origin === start.origin;
    const answer = await send(isTrusted && isHome ? connections.trusted : connections.guarded, {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      body: request.body ?? null,
      signal,
      headers: {
        accept: '*/*',
        ...(isHome && request.headers),
        'user-agent': connections.userAgent,
        'accept-encoding': acceptEncoding,
      },
    });
    const location = firstOf(answer.headers.location);
    // A body is sent once, to the address that was named: only reading goes round corners.
    if (method !== 'GET' || location === undefined || !redirectStatuses.has(answer.statusCode)) {
      const encoding = firstOf(answer.headers['content-encoding']) ?? '';
      const bytes = await readBoundedBody(answer.body, encoding, { bytesMax, signal });
      return { status: answer.statusCode, url: url.href, headers: joinHeaders(answer.headers), bytes };
    }
    discardBody(answer.body);
    if (redirects >= redirectsMax) {
      throw new EgressError('too_many_redirects', `The page redirects more than ${redirectsMax} times.`);
    }
    const next = parseUrl(location, url);
    url = connections.judgeUrl(next, isTrusted && next.origin === start.origin);
  }
}

/** undici hears of the signal only when it is connected; waiting for a resolver or a silent host ends here. */
async function send(
  dispatcher: Dispatcher,
  options: Dispatcher.RequestOptions & { readonly signal: AbortSignal },
): Promise<Dispatcher.ResponseData> {
  const { signal } = options;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([dispatcher.request(options), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

type IncomingHeaders = Dispatcher.ResponseData['headers'];

const firstOf = (value: IncomingHeaders[string]): string | undefined =>
  Array.isArray(value) ? value[0] : value;

function joinHeaders(headers: IncomingHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}
