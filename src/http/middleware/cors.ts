import type { FastifyReply, FastifyRequest } from 'fastify';

/** Response headers that a web page may read. */
const exposedHeaders = [
  'x-inference-id',
  'x-client-request-id',
  'x-aimlapi-credits-used',
  'x-aimlapi-usd-spent',
  'x-perigee-model',
  'msh-context-cache-id',
  'msh-context-cache-token-saved',
  'msh-context-cache-token-exp',
  'msh-context-cache-token-ttl',
  'etag',
  'x-request-id',
  'x-should-retry',
  'x-perigee-idempotent-replay',
  'retry-after',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-tokens',
].join(', ');

/** How long a browser may remember the answer to a preflight request; Chromium caps it at two hours. */
const preflightSeconds = 7200;

/**
 * CORS without credentials: callers authenticate by header, so a foreign page can do no more than any program.
 * `origins` holds the pages that may call; `*` = any.
 */
export function createCorsHook(origins: readonly string[]) {
  const isOpen = origins.includes('*');
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const { origin } = request.headers;
    if (!isOpen) reply.header('vary', 'Origin');
    if (isOpen || (origin !== undefined && origins.includes(origin))) {
      reply.header('access-control-allow-origin', isOpen ? '*' : origin);
      reply.header('access-control-expose-headers', exposedHeaders);
    }
    done();
  };
}

/** Answers `OPTIONS`: what a browser asks before it sends `Authorization` or JSON. */
export function answerOptions(methods: readonly string[]) {
  const allowed = [...methods, 'OPTIONS'].join(', ');
  return (request: FastifyRequest, reply: FastifyReply): void => {
    reply.header('allow', allowed);
    if (reply.hasHeader('access-control-allow-origin')) {
      // `*` would not cover Authorization, so what is asked for is granted by name.
      const asked = request.headers['access-control-request-headers'];
      reply.header('access-control-allow-methods', allowed);
      reply.header('access-control-allow-headers', asked ?? 'Authorization, Content-Type');
      reply.header('access-control-max-age', preflightSeconds);
    }
    reply.code(204).send();
  };
}
