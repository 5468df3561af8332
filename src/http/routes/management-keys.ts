/** `/api/management-keys`: the account's management keys, for people only. */
import { z } from 'zod';
import type { ApiKey } from '../../keys/api-keys.ts';
import { parseBody } from '../app/parse-body.ts';
import { encodeTime } from '../encode-time.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { sessionOf } from '../middleware/authenticate.ts';
import { pathParameter } from '../path-parameter.ts';
import type { Route } from './route.ts';

/** These addresses are the web app's own; docs/accounts.md describes them. */
const schema = { hide: true };

const nameField = z.string().trim().min(1).max(100).nullable();
const newKeySchema = z.object({ name: nameField.default(null) });
const keyChangeSchema = z.object({ name: nameField.optional(), disabled: z.boolean().optional() });

/** `GET /api/management-keys`. */
export function createListManagementKeysRoute({ platform: { managementKeys } }: HttpDependencies): Route {
  return {
    method: 'GET',
    paths: ['/api/management-keys'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const keys = await managementKeys.list(sessionOf(request).accountId);
      return reply.send({ data: keys.map(encodeKey) });
    },
  };
}

/** `POST /api/management-keys`: the one answer that shows the key. */
export function createNewManagementKeyRoute({ platform: { managementKeys } }: HttpDependencies): Route {
  return {
    method: 'POST',
    paths: ['/api/management-keys'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const { name } = parseBody(newKeySchema, request);
      const { key, secret } = await managementKeys.create(sessionOf(request).accountId, name);
      return reply.header('cache-control', 'no-store').send({ data: { ...encodeKey(key), key: secret } });
    },
  };
}

/** `PATCH /api/management-keys/{prefix}`. */
export function createChangeManagementKeyRoute({ platform: { managementKeys } }: HttpDependencies): Route {
  return {
    method: 'PATCH',
    paths: ['/api/management-keys/:prefix'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const { name, disabled } = parseBody(keyChangeSchema, request);
      const change = { name, isDisabled: disabled };
      const key = await managementKeys.change(
        sessionOf(request).accountId,
        pathParameter(request, 'prefix'),
        change,
      );
      return reply.send({ data: encodeKey(key) });
    },
  };
}

/** `DELETE /api/management-keys/{prefix}`. */
export function createDeleteManagementKeyRoute({ platform: { managementKeys } }: HttpDependencies): Route {
  return {
    method: 'DELETE',
    paths: ['/api/management-keys/:prefix'],
    access: 'session',
    schema,
    async handle(request, reply) {
      const prefix = pathParameter(request, 'prefix');
      await managementKeys.remove(sessionOf(request).accountId, prefix);
      return reply.send({ data: { prefix, deleted: true } });
    },
  };
}

function encodeKey(key: ApiKey) {
  return {
    prefix: key.prefix,
    name: key.name,
    disabled: key.isDisabled,
    created_at: encodeTime(key.createdAt),
    last_used_at: encodeTime(key.lastUsedAt),
    expires_at: encodeTime(key.expiresAt),
  };
}
