/** Calls of better-auth's endpoints as requests, so that its own checks run as they would for a browser. */
import { z } from 'zod';
import { ApiError, type ErrorCode, errorCatalogue } from '../errors.ts';
import { clientAddressHeader } from './auth-constants.ts';
import type { Auth } from './create-auth.ts';

/** Who asks, as the HTTP layer knows them. */
export interface WebClient {
  /** The `Cookie` header. */
  readonly cookie: string | undefined;
  readonly ipAddress: string;
  readonly userAgent: string | undefined;
}

export interface AuthCall {
  readonly method?: 'GET' | 'POST';
  /** Below `/api/auth`, with its query. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly client: WebClient;
}

export interface AuthAnswer {
  readonly status: number;
  /** `Set-Cookie` lines, to be passed on. */
  readonly setCookies: readonly string[];
  /** Where a redirect leads. */
  readonly location: string | undefined;
  /** The JSON body; undefined when there is none. */
  readonly body: unknown;
}

const publicCodes: Readonly<Record<string, ErrorCode>> = {
  INVALID_EMAIL_OR_PASSWORD: 'sign_in_failed',
  INVALID_EMAIL: 'sign_in_failed',
  INVALID_TOKEN: 'reset_link_invalid',
  USER_NOT_FOUND: 'reset_link_invalid',
  SESSION_EXPIRED: 'not_signed_in',
  // It was left out because its discovery document could not be read.
  PROVIDER_NOT_FOUND: 'oidc_unavailable',
};

const failureSchema = z.object({ code: z.string() });

/** Sends one request to better-auth. Failures are answers too; `callAuth` throws them instead. */
export async function askAuth(auth: Auth, call: AuthCall): Promise<AuthAnswer> {
  const { baseURL } = await auth.$context;
  const headers = new Headers({ [clientAddressHeader]: call.client.ipAddress });
  // The HTTP layer has judged where the request comes from; the host in it may be another name of this server.
  headers.set('origin', new URL(baseURL).origin);
  if (call.client.cookie !== undefined) headers.set('cookie', call.client.cookie);
  if (call.client.userAgent !== undefined) headers.set('user-agent', call.client.userAgent.slice(0, 512));
  if (call.body !== undefined) headers.set('content-type', 'application/json');
  const response = await auth.handler(
    new Request(`${baseURL}${call.path}`, {
      method: call.method ?? 'POST',
      headers,
      ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
    }),
  );
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true && text !== '';
  return {
    status: response.status,
    setCookies: response.headers.getSetCookie(),
    location: response.headers.get('location') ?? undefined,
    body: isJson ? JSON.parse(text) : undefined,
  };
}

/** The same, where only success is an answer. Throws ApiError with our code of the failure. */
export async function callAuth(auth: Auth, call: AuthCall): Promise<AuthAnswer> {
  const answer = await askAuth(auth, call);
  if (answer.status < 400) return answer;
  throw toPublicError(answer);
}

function toPublicError(answer: AuthAnswer): ApiError {
  const parsed = failureSchema.safeParse(answer.body);
  const code = parsed.success ? parsed.data.code : '';
  const ours = publicCodes[code] ?? (isErrorCode(code) ? code : undefined);
  if (code === 'INVALID_PASSWORD') return wrongPassword();
  if (code === 'CREDENTIAL_ACCOUNT_NOT_FOUND') return noPassword();
  if (ours !== undefined) return new ApiError(ours);
  if (answer.status === 401) return new ApiError('not_signed_in');
  return new ApiError(answer.status < 500 ? 'invalid_request' : 'internal_error', {
    internal: `better-auth answered ${answer.status} ${code}`,
  });
}

/** Of somebody who is signed in: whose account it is stands fast. */
export const wrongPassword = (): ApiError =>
  new ApiError('sign_in_failed', { message: 'The current password is wrong.', param: 'current_password' });

/** Of somebody who is signed in, by a provider alone. */
export const noPassword = (): ApiError =>
  new ApiError('invalid_request', {
    message: 'Set a password first: ask for a new one on the sign-in page.',
    param: 'current_password',
  });

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code);
}
