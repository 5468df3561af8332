/** `/v1/caching`: an account's context caches (docs/caching.md). Their tags: `caching-tags.ts`. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Caller } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import type { RateLimitState } from '../../limits/rate-limit-state.ts';
import { parseBody } from '../app/parse-body.ts';
import { describeErrors } from '../describe-api.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { assertEndpointScope, assertScope, callerOf } from '../middleware/authenticate.ts';
import { encodeRateLimits } from '../openai/encode-rate-limits.ts';
import { pathParameter } from '../path-parameter.ts';
import {
  cacheAnswerSchema,
  cacheChangeSchema,
  cacheListSchema,
  cacheParamsSchema,
  cacheQuerySchema,
  decodeEnd,
  decodeNewCache,
  deletedCacheSchema,
  encodeCache,
  encodeSavings,
  newCacheSchema,
} from '../platform/cache-schema.ts';
import { parseQuery } from '../platform/parse-query.ts';
import { watchClient } from '../watch-client.ts';
import type { Route } from './route.ts';

const tags = ['Context caching'];
const security = [{ bearer: [] }];

/** The caller of a route of this group. Throws ApiError `scope_denied`. */
export function cachingCallerOf(request: FastifyRequest): Caller {
  const caller = callerOf(request);
  assertEndpointScope(caller, 'caching');
  return caller;
}

/** `POST /v1/caching`. */
export function createCreateCacheRoute({ caches, models, clock }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/v1/caching'],
    access: 'key',
    schema: {
      tags,
      security,
      summary: 'Create a context cache',
      description:
        'Answers at once with status `pending`; ask again until it is `ready`. The creation is charged then.',
      operationId: 'createContextCache',
      body: newCacheSchema,
      response: { 200: cacheAnswerSchema, ...describeErrors([400, 401, 403, 404, 415, 429, 500, 503]) },
    },
    async handle(request, reply) {
      const caller = cachingCallerOf(request);
      const wire = parseBody(newCacheSchema, request);
      const model = models.find(wire.model);
      if (model === undefined) {
        const message = `Not found the model ${wire.model.slice(0, 128)} or Permission denied`;
        throw new ApiError('model_not_found', { message, param: 'model' });
      }
      assertScope(caller, 'caching', model.id);
      const cache = decodeNewCache(wire, model.id, clock.now());
      const signal = watchClient(reply.raw);
      const created = await caches.create({ caller, cache, signal, onRateLimits: sendRateLimits(reply) });
      return reply.send(encodeCache(created));
    },
  };
}

/** `GET /v1/caching`. */
export function createListCachesRoute({ caches }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/caching'],
    access: 'key',
    schema: {
      tags,
      security,
      summary: 'The account’s context caches, and what caching has saved',
      description: 'Filter by metadata with `metadata[key]=value`.',
      operationId: 'listContextCaches',
      querystring: cacheQuerySchema,
      response: { 200: cacheListSchema, ...describeErrors([400, 401, 403, 429, 500]) },
    },
    async handle(request, reply) {
      const { accountId } = cachingCallerOf(request);
      const query = parseQuery(cacheQuerySchema, request, { integers: ['limit'] });
      const page = await caches.list(accountId, { ...query, metadata: readMetadata(request) });
      const savings = await caches.savings(accountId);
      return reply.send({
        object: 'list',
        data: page.items.map(encodeCache),
        has_more: page.hasMore,
        savings: encodeSavings(savings),
      } satisfies z.input<typeof cacheListSchema>);
    },
  };
}

/** `GET /v1/caching/{id}`. */
export function createReadCacheRoute({ caches }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/caching/:id'],
    access: 'key',
    schema: {
      tags,
      security,
      summary: 'One context cache',
      operationId: 'getContextCache',
      params: cacheParamsSchema,
      response: { 200: cacheAnswerSchema, ...describeErrors([401, 403, 404, 429, 500]) },
    },
    async handle(request, reply) {
      const { accountId } = cachingCallerOf(request);
      return reply.send(encodeCache(await caches.find(accountId, pathParameter(request, 'id'))));
    },
  };
}

/** `PUT /v1/caching/{id}`. */
export function createChangeCacheRoute({ caches, clock }: HttpDependencies): Route {
  return {
    method: 'PUT',
    paths: ['/v1/caching/:id'],
    access: 'key',
    schema: {
      tags,
      security,
      summary: 'Change a context cache’s metadata, or move its end',
      description: 'One that has ended becomes `pending`: it is computed and paid for again.',
      operationId: 'changeContextCache',
      params: cacheParamsSchema,
      body: cacheChangeSchema,
      response: { 200: cacheAnswerSchema, ...describeErrors([400, 401, 403, 404, 415, 429, 500]) },
    },
    async handle(request, reply) {
      const caller = cachingCallerOf(request);
      const wire = parseBody(cacheChangeSchema, request);
      const expiresAt = decodeEnd(wire, clock.now());
      const metadata = wire.metadata ?? undefined;
      const change = { metadata, expiresAt, onRateLimits: sendRateLimits(reply) };
      return reply.send(encodeCache(await caches.change(caller, pathParameter(request, 'id'), change)));
    },
  };
}

/** `DELETE /v1/caching/{id}`. */
export function createDeleteCacheRoute({ caches }: HttpDependencies): Route {
  return {
    method: 'DELETE',
    paths: ['/v1/caching/:id'],
    access: 'key',
    schema: {
      tags,
      security,
      summary: 'Delete a context cache and its tags',
      description: 'Its storage is charged up to this second.',
      operationId: 'deleteContextCache',
      params: cacheParamsSchema,
      response: { 200: deletedCacheSchema, ...describeErrors([401, 403, 404, 429, 500]) },
    },
    async handle(request, reply) {
      const { accountId } = cachingCallerOf(request);
      const id = pathParameter(request, 'id');
      await caches.remove(accountId, id);
      const body = { deleted: true, id, object: 'context_cache_object.deleted' } as const;
      return reply.send(body satisfies z.input<typeof deletedCacheSchema>);
    },
  };
}

const sendRateLimits =
  (reply: FastifyReply) =>
  (state: RateLimitState): void =>
    void reply.headers(encodeRateLimits(state));

/** `metadata[key]=value`, which the query's parser leaves as names with brackets. */
function readMetadata(request: FastifyRequest): Record<string, string> {
  const query = request.query as Record<string, unknown>; // The router's parser: text, or a list of texts.
  const pairs = Object.entries(query).flatMap(([name, value]): [string, string][] => {
    const key = /^metadata\[(.+)\]$/.exec(name)?.[1];
    return key === undefined || typeof value !== 'string' ? [] : [[key, value]];
  });
  return Object.fromEntries(pairs);
}
