/** Puts a context cache at the head of the request that names it. */
import type { FastifyRequest } from 'fastify';
import type { ContextCache } from '../../caching/context-cache.ts';
import type { Caller, ChatRequest } from '../../chat/types.ts';
import type { ServedModel } from '../../engines/registry.ts';
import { ApiError } from '../../errors.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { assertScope } from '../middleware/authenticate.ts';
import { decodePrefix } from './decode-prefix.ts';
import { type DecodedRequest, decodeRequest } from './decode-request.ts';
import { type CacheReference, readCacheUse } from './read-cache-use.ts';

export interface CachedRequest {
  /** The request as it would be without a cache. */
  readonly body: unknown;
  readonly contextCache: ChatRequest['contextCache'];
  /** Only the cache was to be looked at; it can be used. */
  readonly isDryRun: boolean;
  /** Of the answer: which cache was used, and how long it lives. */
  readonly headers: Readonly<Record<string, string>>;
}

const uncached = { contextCache: undefined, isDryRun: false, headers: {} } as const;

interface Incoming {
  readonly request: FastifyRequest;
  readonly caller: Caller;
  readonly body: unknown;
  readonly signal: AbortSignal;
}

/** Throws ApiError `cache_not_found`, `scope_denied`, `invalid_request`, `engine_overloaded`, and those of engines. */
export async function applyContextCache(
  dependencies: HttpDependencies,
  { request, caller, body, signal }: Incoming,
): Promise<CachedRequest> {
  const reference = readCacheUse(body, request.headers);
  if (reference === undefined) return { body, ...uncached };
  const model = findModel(dependencies, body);
  // Whoever asks for an unknown model is told so by what comes next.
  if (model === undefined) return { body: withoutCacheMessage(body), ...uncached };
  assertScope(caller, 'chat', model.id);
  assertScope(caller, 'caching', model.id);
  // Before anything is extended or computed: a request that does not begin so cannot use it.
  const found =
    reference.way === 'headers' ? await findRepeated(dependencies, { caller, reference, body }) : 'begins so';
  if (found === 'begins otherwise') {
    if (reference.isDryRun) throw notRepeated();
    return { body, ...uncached };
  }
  const { cache, isHit } = await dependencies.caches.use(caller.accountId, {
    object: reference.object,
    modelId: model.id,
    resetTtlSeconds: reference.resetTtlSeconds,
    isDryRun: reference.isDryRun,
    signal,
  });
  return {
    body: reference.way === 'message' ? substitute(body, cache) : body,
    contextCache: isHit ? { id: cache.id, tokens: cache.tokens } : undefined,
    isDryRun: reference.isDryRun,
    headers: encodeHeaders(cache, { isHit, nowMs: dependencies.clock.now() }),
  };
}

/** Adds what the cache changes to a request that is decoded. */
export function withContextCache(
  decoded: DecodedRequest,
  contextCache: ChatRequest['contextCache'],
): DecodedRequest {
  if (contextCache === undefined) return decoded;
  // Requests with the same beginning belong together, wherever an upstream can route by a key.
  const cacheHint = decoded.request.cacheHint ?? contextCache.id;
  return { ...decoded, request: { ...decoded.request, contextCache, cacheHint } };
}

function findModel({ models }: HttpDependencies, body: unknown): ServedModel | undefined {
  const name = typeof body === 'object' && body !== null && 'model' in body ? body.model : undefined;
  return typeof name === 'string' ? models.find(name) : undefined;
}

interface Repetition {
  readonly caller: Caller;
  readonly reference: CacheReference;
  readonly body: unknown;
}

/** Whether the request repeats the cached messages and tools exactly. */
async function findRepeated(
  { caches, models, settings }: HttpDependencies,
  { caller, reference, body }: Repetition,
): Promise<'begins so' | 'begins otherwise'> {
  const id = 'id' in reference.object ? reference.object.id : '';
  const cached = decodePrefix(await caches.find(caller.accountId, id), models);
  const options = { models, choiceCountMax: settings.choiceCountMax, isDeterministic: false };
  const { request } = decodeRequest(body, options);
  const beginning = request.messages.slice(0, cached.messages.length);
  const isRepeated = isSame(beginning, cached.messages) && isSame(request.tools, cached.tools);
  return isRepeated ? 'begins so' : 'begins otherwise';
}

const isSame = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);

function notRepeated(): ApiError {
  return new ApiError('invalid_request', {
    message:
      'Invalid request: the messages do not begin with those of the context cache, or the tools are not the same',
    param: 'messages',
  });
}

function substitute(body: unknown, cache: ContextCache): unknown {
  const wire = body as { readonly messages: readonly unknown[] }; // `readCacheUse` has found the message in it.
  return { ...wire, messages: [...cache.messages, ...wire.messages.slice(1)], tools: cache.tools };
}

function withoutCacheMessage(body: unknown): unknown {
  const wire = body as { readonly messages?: unknown } | null; // Whatever JSON it is, it has no other field of use here.
  if (!Array.isArray(wire?.messages)) return body;
  return { ...wire, messages: wire.messages.filter((message) => message?.role !== 'cache') };
}

function encodeHeaders(
  cache: ContextCache,
  { isHit, nowMs }: { readonly isHit: boolean; readonly nowMs: number },
): Record<string, string> {
  return {
    'msh-context-cache-id': cache.id,
    'msh-context-cache-token-saved': String(isHit ? cache.tokens : 0),
    'msh-context-cache-token-exp': String(Math.floor(cache.expiresAt / 1_000)),
    'msh-context-cache-token-ttl': String(Math.max(0, Math.floor((cache.expiresAt - nowMs) / 1_000))),
  };
}
