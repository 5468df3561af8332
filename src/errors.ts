/**
 * The one catalogue of errors. Status, wire type and default text of every failure that can reach a caller
 * live here; nothing else in the code decides a status. `docs/errors.md` is held against this table by a test.
 */
import { StoreError } from './store/store-error.ts';

/** What a caller may be told, and how a client should react. */
export interface ErrorEntry {
  /** HTTP status when the error is known before the first byte of the answer. */
  readonly status: number;
  /** `error.type` on the wire (Moonshot's names, protocol sheet 1.6). */
  readonly type: string;
  /** Default public text. It says what is wrong and what to do; a more precise text may replace it. */
  readonly message: string;
  /** Sent as `x-should-retry`: whether the very same request may succeed when it is sent again. */
  readonly isRetryable: boolean;
}

const entry = (status: number, type: string, isRetryable: boolean, message: string): ErrorEntry => ({
  status,
  type,
  message,
  isRetryable,
});

export const errorCatalogue = {
  invalid_request: entry(400, 'invalid_request_error', false, 'Invalid request.'),
  invalid_json: entry(400, 'invalid_request_error', false, 'Invalid request: the body is not valid JSON.'),
  body_too_large: entry(
    400,
    'invalid_request_error',
    false,
    'Invalid request: total message size exceeds limit 4194304',
  ),
  context_length_exceeded: entry(
    400,
    'invalid_request_error',
    false,
    'Invalid request: Your request exceeded model token limit.',
  ),
  invalid_schema: entry(
    400,
    'invalid_request_error',
    false,
    'Invalid request: the JSON Schema cannot be used.',
  ),
  not_supported: entry(
    400,
    'invalid_request_error',
    false,
    'Invalid request: the model behind this name cannot honour this parameter.',
  ),
  invite_invalid: entry(
    400,
    'invalid_request_error',
    false,
    'This invite does not exist, is used or expired, or is meant for another e-mail address.',
  ),
  reset_link_invalid: entry(
    400,
    'invalid_request_error',
    false,
    'This link to a new password is used or expired. Ask for another one.',
  ),
  search_not_found: entry(
    400,
    'invalid_request_error',
    false,
    'Invalid request: the search_id is unknown or has expired.',
  ),
  invalid_api_key: entry(
    401,
    'invalid_authentication_error',
    false,
    'This request requires a valid API key. Send `Authorization: Bearer <key>`; make a key with `perigee keys create` or on the API keys page.',
  ),
  not_signed_in: entry(
    401,
    'invalid_authentication_error',
    false,
    'Nobody is signed in, or the session has ended. Sign in again.',
  ),
  sign_in_failed: entry(
    401,
    'invalid_authentication_error',
    false,
    'The e-mail address or the password is wrong.',
  ),
  insufficient_balance: entry(
    403,
    'exceeded_current_quota_error',
    false,
    'You exceeded your current token quota: the account is out of credits. Ask an administrator for a top-up.',
  ),
  key_limit_reached: entry(
    403,
    'exceeded_current_quota_error',
    false,
    'The spend limit of this API key is reached. Raise the limit or wait for its next period.',
  ),
  scope_denied: entry(
    403,
    'permission_denied_error',
    false,
    'The API you are accessing is not open to this API key.',
  ),
  account_disabled: entry(
    403,
    'permission_denied_error',
    false,
    'This account is disabled. Ask an administrator.',
  ),
  account_awaits_approval: entry(
    403,
    'permission_denied_error',
    false,
    'This account waits for the approval of an administrator.',
  ),
  admin_required: entry(403, 'permission_denied_error', false, 'Only an administrator may do this.'),
  csrf_refused: entry(
    403,
    'permission_denied_error',
    false,
    'This request does not come from a page of this server. Send `x-perigee-csrf: 1` from the same origin, or use an API key.',
  ),
  sign_up_closed: entry(
    403,
    'permission_denied_error',
    false,
    'New accounts are made by invitation only. Ask an administrator for an invite.',
  ),
  model_not_found: entry(404, 'resource_not_found_error', false, 'Not found the model or Permission denied'),
  key_not_found: entry(
    404,
    'resource_not_found_error',
    false,
    'There is no API key with this prefix in your account.',
  ),
  not_found: entry(404, 'resource_not_found_error', false, 'There is no such thing in your account.'),
  cache_not_found: entry(404, 'resource_not_found_error', false, 'Not found the context cache.'),
  file_not_found: entry(404, 'resource_not_found_error', false, 'Not found the file in your account.'),
  formula_not_found: entry(404, 'resource_not_found_error', false, 'There is no formula of this name.'),
  route_not_found: entry(404, 'resource_not_found_error', false, 'There is nothing at this address.'),
  method_not_allowed: entry(
    405,
    'invalid_request_error',
    false,
    'This address does not answer that HTTP method.',
  ),
  conflict: entry(409, 'invalid_request_error', false, 'This cannot be done in the present state.'),
  idempotency_conflict: entry(
    409,
    'invalid_request_error',
    false,
    'This Idempotency-Key was used with a different request.',
  ),
  unsupported_media_type: entry(
    415,
    'invalid_request_error',
    false,
    'Invalid request: send the body as `Content-Type: application/json`.',
  ),
  rate_limit_reached: entry(429, 'rate_limit_reached_error', true, 'Too Many Requests.'),
  request_exceeds_rate_limit: entry(
    429,
    'rate_limit_reached_error',
    false,
    'This request alone is more than a rate limit allows. Lower `max_tokens` or shorten the prompt.',
  ),
  engine_overloaded: entry(
    429,
    'engine_overloaded_error',
    true,
    'The engine is currently overloaded, please try again later',
  ),
  client_closed_request: entry(499, 'client_closed_request', false, 'The client closed the connection.'),
  internal_error: entry(
    500,
    'server_error',
    true,
    'Internal error. The inference id names this request in the logs.',
  ),
  engine_failed: entry(
    500,
    'server_error',
    true,
    'The engine stopped while it worked on this request; nothing was charged.',
  ),
  unexpected_output: entry(
    502,
    'unexpected_output',
    true,
    'The engine did not produce an answer that satisfies the declared schema; nothing was charged.',
  ),
  upstream_failed: entry(
    502,
    'server_error',
    true,
    'The upstream engine answered badly; nothing was charged.',
  ),
  model_unavailable: entry(
    503,
    'server_unavailable',
    true,
    'No model is loaded. See `GET /ready` and run `perigee doctor`.',
  ),
  store_unavailable: entry(
    503,
    'server_unavailable',
    true,
    'The database of this server cannot be reached. Send the request again in a moment; `GET /ready` says when it is back.',
  ),
  file_storage_unavailable: entry(
    503,
    'server_unavailable',
    true,
    'The storage of uploaded files does not answer as it should. Send the request again in a moment.',
  ),
  oidc_unavailable: entry(
    503,
    'server_unavailable',
    true,
    'The provider of single sign-on cannot be reached. Try again in a moment, or sign in with a password.',
  ),
  engine_timeout: entry(
    504,
    'server_unavailable',
    true,
    'The engine did not answer in time; nothing was charged.',
  ),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

export interface ApiErrorOptions {
  /** Public text that replaces the catalogue's. Never carries secrets, stack traces or another tenant's data. */
  readonly message?: string;
  /** The request field at fault, as a path such as `messages[2].content`. */
  readonly param?: string;
  /** Whole seconds, at most 60; sent as `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** Text for the log only. */
  readonly internal?: string;
  readonly cause?: unknown;
}

/** A failure with a public face. Everything else that is thrown becomes `internal_error` without its message. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly param: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly internal: string | undefined;

  constructor(code: ErrorCode, options: ApiErrorOptions = {}) {
    super(options.message ?? errorCatalogue[code].message, { cause: options.cause });
    this.name = 'ApiError';
    this.code = code;
    this.param = options.param;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.internal = options.internal;
  }

  get status(): number {
    return errorCatalogue[this.code].status;
  }

  get type(): string {
    return errorCatalogue[this.code].type;
  }

  get isRetryable(): boolean {
    return errorCatalogue[this.code].isRetryable;
  }
}

/** Turns whatever was thrown into an error with a public face, keeping the original as `cause`. */
export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const isStoreLost = thrown instanceof StoreError && thrown.kind === 'unavailable';
  return new ApiError(isStoreLost ? 'store_unavailable' : 'internal_error', { cause: thrown });
}
