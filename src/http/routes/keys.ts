/** `/v1/keys`: an account's keys, managed with a management key; and `/v1/key`: the key that asks. */
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { ModelDirectory } from '../../engines/registry.ts';
import type { KeyChange } from '../../keys/key-administration.ts';
import { parseBody } from '../app/parse-body.ts';
import { describeErrors } from '../describe-api.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { parseJsonBody } from '../middleware/read-body.ts';
import { invalidField } from '../openai/describe-issue.ts';
import { pathParameter } from '../path-parameter.ts';
import {
  createdKeySchema,
  decodeLimitChange,
  decodeNewLimit,
  deletedKeySchema,
  encodeKey,
  keyAnswerSchema,
  keyChangeSchema,
  keyListSchema,
  keyParamsSchema,
  newKeySchema,
} from '../platform/key-schema.ts';
import { decodeScopes } from '../platform/key-scopes.ts';
import type { Route } from './route.ts';

const tags = ['API keys'];
const security = [{ bearer: [] }];

/** `POST /v1/keys`. */
export function createCreateKeyRoute({ platform, models }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/v1/keys'],
    access: 'management-key',
    schema: {
      tags,
      security,
      summary: 'Create an API key',
      description: 'Needs a management key. The body may be left out.',
      operationId: 'createKey',
      body: newKeySchema,
      response: { 200: createdKeySchema, ...describeErrors([400, 401, 403, 429, 500]) },
    },
    async handle(request, reply) {
      const wire = parseBody(newKeySchema, request);
      const created = await platform.keys.create(callerOf(request).accountId, {
        name: wire.name ?? null,
        scopes: wire.scopes == null ? null : decodeScopes(wire.scopes, models),
        limit: decodeNewLimit(wire.limit),
      });
      const { limit: encodedLimit, ...key } = encodeKey(created.key);
      return reply.header('cache-control', 'no-store').send({
        data: { ...key, ...(encodedLimit !== null && { limit: encodedLimit }), key: created.secret },
      } satisfies z.input<typeof createdKeySchema>);
    },
  };
}

/** `GET /v1/keys`. */
export function createListKeysRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/keys'],
    access: 'management-key',
    schema: {
      tags,
      security,
      summary: 'The account’s API keys, oldest first',
      description: 'Needs a management key; management keys are not listed.',
      operationId: 'listKeys',
      response: { 200: keyListSchema, ...describeErrors([401, 403, 429, 500]) },
    },
    async handle(request, reply) {
      const keys = await platform.keys.list(callerOf(request).accountId);
      return reply.send({ data: keys.map(encodeKey) } satisfies z.input<typeof keyListSchema>);
    },
  };
}

/** `PATCH /v1/keys/{prefix}`. */
export function createChangeKeyRoute({ platform, models }: HttpDependencies): Route {
  return {
    method: 'PATCH',
    paths: ['/v1/keys/:prefix'],
    access: 'management-key',
    schema: {
      tags,
      security,
      summary: 'Change an API key',
      description: 'Needs a management key. The change holds everywhere within a second.',
      operationId: 'changeKey',
      params: keyParamsSchema,
      body: keyChangeSchema,
      response: { 200: keyAnswerSchema, ...describeErrors([400, 401, 403, 404, 429, 500]) },
    },
    async handle(request, reply) {
      const change = decodeChange(request, models);
      const key = await platform.keys.change(
        callerOf(request).accountId,
        pathParameter(request, 'prefix'),
        change,
      );
      return reply.send({ data: encodeKey(key) } satisfies z.input<typeof keyAnswerSchema>);
    },
  };
}

/** `DELETE /v1/keys/{prefix}`. */
export function createDeleteKeyRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'DELETE',
    paths: ['/v1/keys/:prefix'],
    access: 'management-key',
    schema: {
      tags,
      security,
      summary: 'Delete an API key',
      description: 'Needs a management key. The key stops within a second; its usage and charges stay.',
      operationId: 'deleteKey',
      params: keyParamsSchema,
      response: { 200: deletedKeySchema, ...describeErrors([401, 403, 404, 429, 500]) },
    },
    async handle(request, reply) {
      const prefix = pathParameter(request, 'prefix');
      await platform.keys.remove(callerOf(request).accountId, prefix);
      return reply.send({ data: { prefix, deleted: true } } satisfies z.input<typeof deletedKeySchema>);
    },
  };
}

/** `GET /v1/key`. */
export function createOwnKeyRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/v1/key'],
    access: 'any-key',
    schema: {
      tags,
      security,
      summary: 'The API key that asks',
      description: 'With a management key: the account’s regular key that was used last.',
      operationId: 'getOwnKey',
      response: { 200: keyAnswerSchema, ...describeErrors([401, 429, 500]) },
    },
    async handle(request, reply) {
      const key = await platform.keys.describe(callerOf(request));
      return reply.send({ data: encodeKey(key) } satisfies z.input<typeof keyAnswerSchema>);
    },
  };
}

function decodeChange(request: FastifyRequest, models: ModelDirectory): KeyChange {
  const wire = parseBody(keyChangeSchema, request);
  // Other fields are ignored, but a body of nothing else is a slip of the pen that must not look like success.
  if (Object.keys(wire).length === 0 && request.body instanceof Buffer && !isEmptyObject(request)) {
    throw invalidField('', 'expected at least one of name, disabled, limit, scopes');
  }
  return {
    name: wire.name,
    isDisabled: wire.disabled ?? undefined,
    scopes: wire.scopes == null ? wire.scopes : decodeScopes(wire.scopes, models),
    limit: wire.limit === undefined ? undefined : decodeLimitChange(wire.limit),
  };
}

function isEmptyObject(request: FastifyRequest): boolean {
  const body = parseJsonBody(request);
  return typeof body === 'object' && body !== null && Object.keys(body).length === 0;
}
