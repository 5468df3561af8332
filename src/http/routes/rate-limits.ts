/**
 * Rate limits: of a key, set with a management key, and of accounts and their default, set by administrators. What
 * counts and how refusals look is docs/limits.md.
 */
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ApiError } from '../../errors.ts';
import type { LimitSubject } from '../../limits/limit-administration.ts';
import { parseBody } from '../app/parse-body.ts';
import { describeErrors } from '../describe-api.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { pathParameter } from '../path-parameter.ts';
import { keyParamsSchema } from '../platform/key-schema.ts';
import {
  decodeLimitChange,
  encodeLimits,
  rateLimitAnswerSchema,
  rateLimitChangeSchema,
} from '../platform/rate-limit-schema.ts';
import { accountIdOf } from './admin-accounts.ts';
import type { Route } from './route.ts';

const keyPaths: Route['paths'] = ['/v1/keys/:prefix/rate-limits'];
const keySchema = {
  tags: ['API keys'],
  security: [{ bearer: [] }],
  params: keyParamsSchema,
};

/** `GET /v1/keys/{prefix}/rate-limits`. */
export function createKeyLimitsRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: keyPaths,
    access: 'management-key',
    schema: {
      ...keySchema,
      summary: 'The rate limits of an API key',
      description: 'Needs a management key. The account’s own limits hold as well.',
      operationId: 'getKeyRateLimits',
      response: { 200: rateLimitAnswerSchema, ...describeErrors([401, 403, 404, 429, 500]) },
    },
    async handle(request, reply) {
      const limits = await platform.limits.read(await findKey(platform, request));
      return reply.send({ data: encodeLimits(limits) } satisfies z.input<typeof rateLimitAnswerSchema>);
    },
  };
}

/** `PATCH /v1/keys/{prefix}/rate-limits`. */
export function createChangeKeyLimitsRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'PATCH',
    paths: keyPaths,
    access: 'management-key',
    schema: {
      ...keySchema,
      summary: 'Change the rate limits of an API key',
      description: 'Needs a management key. The change holds everywhere within a second.',
      operationId: 'changeKeyRateLimits',
      body: rateLimitChangeSchema,
      response: { 200: rateLimitAnswerSchema, ...describeErrors([400, 401, 403, 404, 429, 500]) },
    },
    async handle(request, reply) {
      const change = decodeLimitChange(parseBody(rateLimitChangeSchema, request));
      const limits = await platform.limits.change(await findKey(platform, request), change);
      return reply.send({ data: encodeLimits(limits) } satisfies z.input<typeof rateLimitAnswerSchema>);
    },
  };
}

const adminSchema = { hide: true };
const defaultPaths: Route['paths'] = ['/api/admin/rate-limits'];
const accountPaths: Route['paths'] = ['/api/admin/accounts/:id/rate-limits'];

/** `GET /api/admin/rate-limits`. */
export function createDefaultLimitsRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: defaultPaths,
    access: 'admin',
    schema: adminSchema,
    handle: async (_request, reply) =>
      reply.send({ data: encodeLimits(await platform.limits.read({ scope: 'default' })) }),
  };
}

/** `PATCH /api/admin/rate-limits`. */
export function createChangeDefaultLimitsRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'PATCH',
    paths: defaultPaths,
    access: 'admin',
    schema: adminSchema,
    async handle(request, reply) {
      const change = decodeLimitChange(parseBody(rateLimitChangeSchema, request));
      return reply.send({ data: encodeLimits(await platform.limits.change({ scope: 'default' }, change)) });
    },
  };
}

/** `GET /api/admin/accounts/{id}/rate-limits`. */
export function createAccountLimitsRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: accountPaths,
    access: 'admin',
    schema: adminSchema,
    handle: async (request, reply) =>
      reply.send({ data: encodeLimits(await platform.limits.read(await findAccount(platform, request))) }),
  };
}

/** `PATCH /api/admin/accounts/{id}/rate-limits`. */
export function createChangeAccountLimitsRoute({ platform }: HttpDependencies): Route {
  return {
    method: 'PATCH',
    paths: accountPaths,
    access: 'admin',
    schema: adminSchema,
    async handle(request, reply) {
      const change = decodeLimitChange(parseBody(rateLimitChangeSchema, request));
      const account = await findAccount(platform, request);
      return reply.send({ data: encodeLimits(await platform.limits.change(account, change)) });
    },
  };
}

type Platform = HttpDependencies['platform'];

/** Throws ApiError `key_not_found`, for other accounts' keys and management keys as well. */
async function findKey(platform: Platform, request: FastifyRequest): Promise<LimitSubject> {
  const prefix = pathParameter(request, 'prefix');
  const keys = await platform.keys.list(callerOf(request).accountId);
  const key = keys.find((each) => each.prefix === prefix);
  if (key === undefined) throw new ApiError('key_not_found');
  return { scope: 'key', keyId: key.id };
}

/** Throws ApiError as `administration.read` does when there is no such account. */
async function findAccount(platform: Platform, request: FastifyRequest): Promise<LimitSubject> {
  const account = await platform.administration.read(accountIdOf(request));
  return { scope: 'account', accountId: account.id };
}
