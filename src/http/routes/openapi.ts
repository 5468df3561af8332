import type { FastifyInstance } from 'fastify';
import type { HttpDependencies } from '../http-dependencies.ts';
import type { Route } from './route.ts';

/** `GET /openapi.json`: this server's description, generated from the schemas that validate. */
export function createOpenApiRoute(_dependencies: HttpDependencies, app: FastifyInstance): Route {
  // Built once, on the first request: it cannot change while the process runs.
  let document: string | undefined;
  return {
    method: 'GET',
    paths: ['/openapi.json'],
    access: 'open',
    schema: { hide: true },
    handle(_request, reply) {
      document ??= JSON.stringify(app.swagger());
      return reply.header('content-type', 'application/json; charset=utf-8').send(document);
    },
  };
}
