import type { FastifyRequest } from 'fastify';
import { networkOf } from '../../accounts/attempt-limiter.ts';
import { hasSessionCookie, type WebSession } from '../../accounts/web-sessions.ts';
import type { Caller } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import type { KeyPurpose } from '../../keys/key-directory.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { isModelCategory } from '../platform/key-scopes.ts';
import { assertSameOrigin } from './same-origin.ts';

const bearerPattern = /^bearer +(\S+) *$/i;

type Authenticators = Pick<HttpDependencies, 'keys' | 'people' | 'playgroundKeys'>;

/**
 * Refuses a request without a valid key of the right kind before its body is read. Without any `Authorization`
 * header the web app's session counts instead: it may do what either kind of key of its account may. Throws ApiError
 * `invalid_api_key`, `scope_denied`, `csrf_refused`, or `rate_limit_reached` (unknown keys).
 */
export function createAuthenticateHook(dependencies: Authenticators, purpose: KeyPurpose) {
  const { keys } = dependencies;
  return async (request: FastifyRequest): Promise<void> => {
    const { authorization, cookie } = request.headers;
    if (authorization === undefined && hasSessionCookie(cookie)) {
      if (await adoptSession(dependencies, request, cookie)) return;
    }
    const secret = bearerPattern.exec(authorization ?? '')?.[1];
    if (secret === undefined) throw new ApiError('invalid_api_key');
    request.context.caller = await keys.authenticate(secret, purpose, networkOf(request.ip));
  };
}

/**
 * For addresses of the web app: nothing but a session opens them. Throws ApiError `not_signed_in`, `admin_required`
 * or `csrf_refused`.
 */
export function createSessionHook(dependencies: Authenticators, isForAdmins: boolean) {
  return async (request: FastifyRequest): Promise<void> => {
    const { cookie } = request.headers;
    if (!hasSessionCookie(cookie)) throw new ApiError('not_signed_in');
    if (!(await adoptSession(dependencies, request, cookie))) throw new ApiError('not_signed_in');
    if (isForAdmins && !sessionOf(request).isAdmin) throw new ApiError('admin_required');
  };
}

/** For addresses that nobody need be signed in for, but that foreign pages must not use. Throws `csrf_refused`. */
export function createSameOriginHook({ people }: Pick<HttpDependencies, 'people'>) {
  return async (request: FastifyRequest): Promise<void> => {
    assertSameOrigin(request, people.describe().publicUrl);
  };
}

/** Sets session and caller; false when the cookie opens nothing (any more). */
async function adoptSession(
  { people, playgroundKeys }: Authenticators,
  request: FastifyRequest,
  cookie: string,
): Promise<boolean> {
  assertSameOrigin(request, people.describe().publicUrl);
  const session = await people.sessions.find(cookie);
  if (session === undefined) return false;
  request.context.session = session;
  request.context.caller = await playgroundKeys.callerOf(session.accountId);
  return true;
}

/** Who is signed in, on a route that demands a session. */
export function sessionOf(request: FastifyRequest): WebSession {
  const { session } = request.context;
  if (session === undefined) throw new Error(`the route ${request.routeOptions.url} demands no session`);
  return session;
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

/** The same where no model is asked for. */
export function assertEndpointScope(caller: Caller, endpoint: string): void {
  if (caller.scopes === null) return;
  const endpoints = caller.scopes.filter((scope) => !scope.startsWith('model:') || isModelCategory(scope));
  const isOpen = caller.scopes.length > 0 && endpoints.length === 0;
  if (!isOpen && !endpoints.includes(endpoint)) throw scopeDenied(endpoint);
}

function scopeDenied(scope: string): ApiError {
  return new ApiError('scope_denied', {
    message: `The API you are accessing is not open to this API key: its scopes do not include \`${scope}\`.`,
  });
}
