/** From the body of a chat request to what the chat core can run, with everything that is refused on the way. */
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../../chat/types.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { assertScope } from '../middleware/authenticate.ts';
import { applyContextCache, withContextCache } from './apply-context-cache.ts';
import { type DecodedRequest, decodeRequest } from './decode-request.ts';

export interface IncomingChat {
  readonly request: FastifyRequest;
  readonly caller: Caller;
  /** Parsed JSON, as it was sent. */
  readonly body: unknown;
  readonly isDeterministic: boolean;
}

export interface PreparedChat {
  readonly decoded: DecodedRequest;
  /** Only the context cache was to be looked at; it can be used. */
  readonly isDryRun: boolean;
  /** Of the answer: who answers, which cache was used. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Extends the life of the context cache that the request names, where it asks for that, so a request is prepared once.
 * The signal ends the wait for a cache that is still being computed. Throws what `decodeRequest`, `applyContextCache`
 * and `assertScope` throw.
 */
export async function prepareChat(
  dependencies: HttpDependencies,
  { request, caller, body, isDeterministic }: IncomingChat,
  signal: AbortSignal,
): Promise<PreparedChat> {
  const cached = await applyContextCache(dependencies, { request, caller, body, signal });
  const plain = decodeRequest(cached.body, {
    models: dependencies.models,
    choiceCountMax: dependencies.settings.choiceCountMax,
    isDeterministic,
  });
  const decoded = withContextCache(plain, cached.contextCache);
  request.context.modelId = decoded.model.id;
  assertScope(caller, 'chat', decoded.model.id);
  if (usesBuiltin(decoded)) assertScope(caller, 'web_search', decoded.model.id);
  return {
    decoded,
    isDryRun: cached.isDryRun,
    headers: { ...cached.headers, 'x-perigee-model': headerText(decoded.model.engine.backing().weights) },
  };
}

const usesBuiltin = ({ request }: DecodedRequest): boolean =>
  request.tools.some(({ type }) => type === 'builtin');

/** Names of weights may hold any character; a header may not. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
