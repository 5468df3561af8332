/**
 * What an upstream's failure means to our caller, by status and code only, never by the text of a message. What
 * only concerns the operator (keys, accounts, addresses) goes to the log.
 */

import { errorCodeOf } from '../../error-code.ts';
import { ApiError, type ErrorCode } from '../../errors.ts';
import { asCount, asRecord, asText } from './wire-chunk.ts';

interface WireError {
  readonly message?: unknown;
  readonly code?: unknown;
  readonly type?: unknown;
  readonly param?: unknown;
  /** llama-server names the figures. */
  readonly n_prompt_tokens?: unknown;
  readonly n_ctx?: unknown;
}

/** Codes and types of a prompt that is too long: OpenAI and its followers, llama-server, some gateways. */
const contextLengthNames = new Set<unknown>([
  'context_length_exceeded',
  'exceed_context_size_error',
  'context_window_exceeded',
  'model_context_window_exceeded',
]);

const RETRY_AFTER_SECONDS_MAX = 60;
const MESSAGE_LENGTH_MAX = 500;

/** An answer with an error status. `body` is the parsed JSON, or whatever could be read. */
export function classifyResponse(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): ApiError {
  const error = findError(body);
  const retryAfterSeconds = readRetryAfter(headers);
  const internal = `the upstream answered ${status}: ${describe(error)}`;
  const waiting = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  switch (status) {
    case 400:
    case 413:
    case 422:
      return classifyRefusal(error, internal);
    case 401:
    case 402:
    case 403:
      return new ApiError('upstream_failed', {
        message:
          'The engine behind this model refuses the account of this server. Ask the administrator to check its key.',
        internal,
      });
    case 404:
      return new ApiError('model_unavailable', {
        message: 'The engine behind this model does not have it. Ask the administrator to check its name.',
        internal,
      });
    case 408:
    case 504:
      return new ApiError('engine_timeout', { internal });
    case 429:
    case 529:
      return new ApiError('engine_overloaded', { internal, ...waiting });
    case 503:
      return new ApiError('model_unavailable', {
        message: 'The engine behind this model is not ready. Try again soon.',
        internal,
        ...waiting,
      });
    default:
      return new ApiError('upstream_failed', { internal });
  }
}

/** An `error` object inside a stream that began well. */
export function classifyStreamError(value: unknown): ApiError {
  const error = asRecord<WireError>(value);
  const status = Number(error?.code);
  const internal = `the upstream failed in its stream: ${describe(error)}`;
  if (isContextLength(error)) return classifyRefusal(error, internal);
  const code: ErrorCode = status === 429 || status === 529 ? 'engine_overloaded' : 'upstream_failed';
  return new ApiError(code, { internal });
}

const unreachableCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** A connection that could not be made or broke. */
export function classifyTransport(error: Error): ApiError {
  const internal = `${errorCodeOf(error) ?? error.name}: ${error.message}`;
  if (!isUnreachable(error)) return new ApiError('upstream_failed', { cause: error, internal });
  return new ApiError('model_unavailable', {
    message: 'The engine behind this model cannot be reached. Try again soon.',
    cause: error,
    internal,
  });
}

/** True when no connection stood, so that nothing was sent. */
export function isUnreachable(error: Error): boolean {
  return unreachableCodes.has(errorCodeOf(error) ?? '');
}

/** The request itself was refused: the caller is told why, because only the caller can mend it. */
function classifyRefusal(error: WireError | undefined, internal: string): ApiError {
  const reason = asText(error?.message)?.slice(0, MESSAGE_LENGTH_MAX) ?? 'it gave no reason';
  const refused = `Invalid request: the engine behind this model refused it: ${reason}`;
  if (!isContextLength(error)) return new ApiError('invalid_request', { message: refused, internal });
  const limit = asCount(error?.n_ctx);
  const requested = asCount(error?.n_prompt_tokens);
  const hasFigures = limit !== undefined && requested !== undefined;
  const excess = `Invalid request: Your request exceeded model token limit: ${limit} (requested: ${requested})`;
  // Without figures to read, the upstream's own words have them.
  return new ApiError('context_length_exceeded', { message: hasFigures ? excess : refused, internal });
}

function isContextLength(error: WireError | undefined): boolean {
  // vLLM has no code for it, but names the parameter at fault.
  const isInputTooLong = error?.param === 'input_tokens';
  return isInputTooLong || contextLengthNames.has(error?.code) || contextLengthNames.has(error?.type);
}

/** Servers answer `{"error": {…}}`, `{"error": "…"}` or the error itself. */
function findError(body: unknown): WireError | undefined {
  const inner = asRecord<{ readonly error?: unknown }>(body)?.error;
  if (typeof inner === 'string') return { message: inner };
  return asRecord<WireError>(inner) ?? asRecord<WireError>(body);
}

/** For the log, so without the text: servers repeat prompts, answers and even our key in it. */
function describe(error: WireError | undefined): string {
  return `${String(error?.type ?? '')} ${String(error?.code ?? '')}`.trim().slice(0, MESSAGE_LENGTH_MAX);
}

/** Whole seconds, from seconds, a date or OpenAI's milliseconds. */
function readRetryAfter(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): number | undefined {
  const text = headers['retry-after'];
  const milliseconds = Number(headers['retry-after-ms'] ?? Number.NaN);
  const seconds = Number.isFinite(milliseconds) ? milliseconds / 1000 : Number(text ?? Number.NaN);
  const dateMs = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  const wait = Number.isFinite(seconds) ? seconds : (dateMs - Date.now()) / 1000;
  if (!Number.isFinite(wait)) return undefined;
  return Math.min(RETRY_AFTER_SECONDS_MAX, Math.max(1, Math.ceil(wait)));
}
