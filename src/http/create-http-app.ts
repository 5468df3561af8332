/**
 * The Fastify application: hooks, error answers and the route table. Here and below is the only place that knows
 * Fastify. What lies behind the routes is injected (`http-dependencies.ts`).
 */
import swagger from '@fastify/swagger';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';
import { describeApi, transformDocument, transformRouteSchema } from './describe-api.ts';
import type { HttpDependencies } from './http-dependencies.ts';
import { createAccessLogHook } from './middleware/access-log.ts';
import { createCorsHook } from './middleware/cors.ts';
import { createCountHook } from './middleware/count-requests.ts';
import { dropRest } from './middleware/drop-rest.ts';
import { createClientErrorHandler, createErrorHandler } from './middleware/handle-error.ts';
import { createBodyReader, repairContentType } from './middleware/read-body.ts';
import { createRequestContextHook } from './middleware/request-context.ts';
import { registerRoutes } from './routes/index.ts';
import { registerWebApp } from './static.ts';

/** Longer than the idle time of common load balancers (60 s), so that they close first and never hit a dead socket. */
const keepAliveTimeoutMs = 75_000;
/** Time a client has to send its headers. */
const headersTimeoutMs = 60_000;

/** Ready to `listen()` or `inject()`. Closing it lets running answers end; stopping those is the caller's decision. */
export function createHttpApp(dependencies: HttpDependencies): FastifyInstance {
  const handleError = createErrorHandler(dependencies);
  const { trustedProxies } = dependencies.settings;
  const app = Fastify({
    logger: false,
    // Node would answer with an empty body; the hook below says what is missing.
    http: { requireHostHeader: false },
    // False costs nothing; a list makes every request look at its headers, and only where somebody stands in front.
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    keepAliveTimeout: keepAliveTimeoutMs,
    // Bodies have their own bounds: those in memory a deadline, uploads of any size one for their silence.
    requestTimeout: 0,
    // A closing server answers what still arrives; Fastify's own 503 would not have our error shape.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 512 },
    frameworkErrors: handleError,
    clientErrorHandler: createClientErrorHandler(dependencies),
  });
  app.server.headersTimeout = headersTimeoutMs;
  // An expectation that we do not know may be ignored (RFC 9110, 10.1.1); Node would answer 417 with an empty body.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));

  // Validation and serialisation are the routes' own; the schemas on routes are documentation.
  app.setValidatorCompiler(() => (data) => ({ value: data }));
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.removeAllContentTypeParsers();
  // JSON by name as well: Fastify looks up a catch-all anew for every request.
  app.addContentTypeParser(['application/json', '*'], createBodyReader(dependencies.settings.bodyBytesMax));

  app.decorateRequest('context');
  app.addHook('onRequest', createRequestContextHook(dependencies));
  app.addHook('onRequest', createCorsHook(dependencies.settings.corsOrigins));
  app.addHook('onRequest', (request, _reply, done) => {
    // Before the body is read: nobody needs to upload it to learn that there is nothing here.
    done(request.is404 ? routeNotFound(request.url) : undefined);
  });
  app.addHook('onRequest', refuseMissingHost);
  app.addHook('onRequest', refuseNul);
  app.addHook('onRequest', repairContentType);
  app.addHook('onResponse', createAccessLogHook(dependencies));
  const { metrics } = dependencies;
  if (metrics !== undefined) app.addHook('onResponse', createCountHook(metrics));
  closeConnectionsWhileClosing(app);
  app.setErrorHandler((error, request, reply) => {
    dropRest(request.raw, reply.raw);
    return handleError(error, request, reply);
  });
  app.setNotFoundHandler((request) => {
    throw routeNotFound(request.url);
  });

  app.register(swagger, {
    openapi: describeApi(dependencies.version),
    transform: transformRouteSchema,
    transformObject: transformDocument,
  });
  app.register(async (scope) => registerRoutes(scope, dependencies));
  const { webFiles } = dependencies;
  if (webFiles !== undefined) app.register(async (scope) => registerWebApp(scope, webFiles));
  return app;
}

/**
 * `close` ends the connections that are idle at that moment; one whose answer ends later would be kept for the next
 * request, and a shutdown would wait for it until `keepAliveTimeoutMs`.
 */
function closeConnectionsWhileClosing(app: FastifyInstance): void {
  let isClosing = false;
  app.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });
  app.addHook('onResponse', (request, _reply, done) => {
    if (isClosing) request.raw.socket.destroySoon();
    done();
  });
}

function refuseMissingHost(request: FastifyRequest, _reply: unknown, done: (error?: ApiError) => void): void {
  const { headers, httpVersion } = request.raw;
  const isMissing = headers.host === undefined && httpVersion === '1.1';
  done(
    isMissing ? new ApiError('invalid_request', { message: 'The request has no Host header.' }) : undefined,
  );
}

/** Nothing has a name with this character, and PostgreSQL takes it in no value. */
function refuseNul(request: FastifyRequest, _reply: unknown, done: (error?: ApiError) => void): void {
  done(
    request.url.includes('%00')
      ? new ApiError('invalid_request', { message: 'The address contains the character U+0000 (%00).' })
      : undefined,
  );
}

function routeNotFound(url: string): ApiError {
  const isOtherDialect = /\/(responses|completions|messages|embeddings)\/?(\?|$)/.test(url);
  return new ApiError(
    'route_not_found',
    isOtherDialect
      ? { message: 'There is nothing at this address; chat completions are at `POST /v1/chat/completions`.' }
      : {},
  );
}
