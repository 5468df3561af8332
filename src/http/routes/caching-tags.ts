/** `/v1/caching/refs/tags`: names that point to context caches. */
import type { z } from 'zod';
import { parseBody } from '../app/parse-body.ts';
import { describeErrors } from '../describe-api.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { pathParameter } from '../path-parameter.ts';
import {
  cacheAnswerSchema,
  deletedTagSchema,
  encodeCache,
  encodeTag,
  newTagSchema,
  pageQuerySchema,
  tagAnswerSchema,
  tagListSchema,
  tagParamsSchema,
} from '../platform/cache-schema.ts';
import { parseQuery } from '../platform/parse-query.ts';
import { cachingCallerOf } from './caching.ts';
import type { Route } from './route.ts';

const tags = ['Context caching'];
const security = [{ bearer: [] }];

/** `POST /v1/caching/refs/tags`. */
export function createSetCacheTagRoute({ caches }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/v1/caching/refs/tags'],
    access: 'key',
    schema: {
      tags,
      security,
      summary: 'Point a tag to a context cache',
      description: 'A tag that points elsewhere is moved.',
      operationId: 'setContextCacheTag',
      body: newTagSchema,
      response: { 200: tagAnswerSchema, ...describeErrors([400, 401, 403, 404, 415, 429, 500]) },
    },
    async handle(request, reply) {
      const { accountId } = cachingCallerOf(request);
      const wire = parseBody(newTagSchema, request);
      return reply.send(encodeTag(await caches.tags.set(accountId, wire.tag, wire.cache_id)));
    },
  };
}

/** `GET /v1/caching/refs/tags`. */
export function createListCacheTagsRoute({ caches }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/caching/refs/tags'],
    access: 'key',
    schema: {
      tags,
      security,
      summary: 'The account’s tags',
      operationId: 'listContextCacheTags',
      querystring: pageQuerySchema,
      response: { 200: tagListSchema, ...describeErrors([400, 401, 403, 429, 500]) },
    },
    async handle(request, reply) {
      const { accountId } = cachingCallerOf(request);
      const page = await caches.tags.list(
        accountId,
        parseQuery(pageQuerySchema, request, { integers: ['limit'] }),
      );
      const data = page.items.map(encodeTag);
      return reply.send({ object: 'list', data, has_more: page.hasMore } satisfies z.input<
        typeof tagListSchema
      >);
    },
  };
}

/** `GET /v1/caching/refs/tags/{tag}`. */
export function createReadCacheTagRoute({ caches }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/caching/refs/tags/:tag'],
    access: 'key',
    schema: {
      tags,
      security,
      summary: 'One tag',
      operationId: 'getContextCacheTag',
      params: tagParamsSchema,
      response: { 200: tagAnswerSchema, ...describeErrors([401, 403, 404, 429, 500]) },
    },
    async handle(request, reply) {
      const { accountId } = cachingCallerOf(request);
      return reply.send(encodeTag(await caches.tags.find(accountId, pathParameter(request, 'tag'))));
    },
  };
}

/** `GET /v1/caching/refs/tags/{tag}/content`. */
export function createReadTaggedCacheRoute({ caches }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/caching/refs/tags/:tag/content'],
    access: 'key',
    schema: {
      tags,
      security,
      summary: 'The context cache that a tag points to',
      operationId: 'getTaggedContextCache',
      params: tagParamsSchema,
      response: { 200: cacheAnswerSchema, ...describeErrors([401, 403, 404, 429, 500]) },
    },
    async handle(request, reply) {
      const { accountId } = cachingCallerOf(request);
      const { cacheId } = await caches.tags.find(accountId, pathParameter(request, 'tag'));
      return reply.send(encodeCache(await caches.find(accountId, cacheId)));
    },
  };
}

/** `DELETE /v1/caching/refs/tags/{tag}`. */
export function createDeleteCacheTagRoute({ caches }: HttpDependencies): Route {
  return {
    method: 'DELETE',
    paths: ['/v1/caching/refs/tags/:tag'],
    access: 'key',
    schema: {
      tags,
      security,
      summary: 'Delete a tag; its context cache stays',
      operationId: 'deleteContextCacheTag',
      params: tagParamsSchema,
      response: { 200: deletedTagSchema, ...describeErrors([401, 403, 404, 429, 500]) },
    },
    async handle(request, reply) {
      const { accountId } = cachingCallerOf(request);
      const tag = pathParameter(request, 'tag');
      await caches.tags.remove(accountId, tag);
      const body = { deleted: true, object: 'context_cache_object.tag.deleted', tag } as const;
      return reply.send(body satisfies z.input<typeof deletedTagSchema>);
    },
  };
}
