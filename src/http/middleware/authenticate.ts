import type { FastifyRequest } from 'fastify';
import type { Caller } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import type { KeyPurpose } from '../../keys/key-directory.ts';
import type { KeyAuthenticator } from '../http-dependencies.ts';
import { isModelCategory } from '../platform/key-scopes.ts';

const bearerPattern = /^bearer +(\S+) *$/i;

/**
 * Refuses a request without a valid key of the right kind before its body is read. Throws ApiError
 * `invalid_api_key` or `scope_denied`.
 */
export function createAuthenticateHook(keys: KeyAuthenticator, purpose: KeyPurpose) {
  return async (request: FastifyRequest): Promise<void> => {
    const secret = bearerPattern.exec(request.headers.authorization ?? '')?.[1];
    if (secret === undefined) throw new ApiError('invalid_api_key');
    request.context.caller = await keys.authenticate(secret, purpose);
  };
}

/** The authenticated caller of a route that demands a key. */
export function callerOf(request: FastifyRequest): Caller {
  const { caller } = request.context;
  if (caller === undefined) throw new Error(`the route ${request.routeOptions.url} has no authentication`);
  return caller;
}

/**
 * Checks a key's scopes: null allows everything. Endpoint scopes (`chat`, in the contract's words `model:chat`) and
 * model scopes (`model:<id>`) are two lists; a key that names none of one kind is not restricted in that kind.
 * Throws ApiError `scope_denied`.
 */
export function assertScope(caller: Caller, endpoint: string, modelId: string): void {
  if (caller.scopes === null) return;
  if (caller.scopes.length === 0) throw scopeDenied(endpoint);
  const { models = [], endpoints = [] } = Object.groupBy(caller.scopes, (scope) =>
    scope.startsWith('model:') && !isModelCategory(scope) ? 'models' : 'endpoints',
  );
  const isOpen = endpoints.length === 0 || endpoints.includes(endpoint);
  if (!isOpen && !endpoints.includes(`model:${endpoint}`)) throw scopeDenied(endpoint);
  const modelScope = `model:${modelId}`;
  if (models.length > 0 && !models.includes(modelScope)) throw scopeDenied(modelScope);
}

function scopeDenied(scope: string): ApiError {
  return new ApiError('scope_denied', {
    message: `The API you are accessing is not open to this API key: its scopes do not include \`${scope}\`.`,
  });
}
