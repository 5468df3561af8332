import type { ApiError } from '../../errors.ts';
import { encodeTime } from '../encode-time.ts';

/** The part that OpenAI's clients read. */
export interface WireError {
  readonly message: string;
  readonly type: string;
  readonly code: string;
  readonly param: string | null;
}

const moonshotPrefix = 'Invalid request: ';
const rateLimitPrefix = 'Too Many Requests';

export function encodeWireError(error: ApiError): WireError {
  return { message: error.message, type: error.type, code: error.code, param: error.param ?? null };
}

/** `data: {"error": …}`: how a stream that has begun says that it failed. It is never followed by `[DONE]`. */
export function encodeErrorEvent(error: ApiError): string {
  return `data: ${JSON.stringify({ error: encodeWireError(error) })}\n\n`;
}

/**
 * The body of every error answer: the platform's five fields, whose `message` begins in the platform's words, and
 * OpenAI's `error`, whose `message` is in Moonshot's.
 */
export function encodeErrorBody(
  error: ApiError,
  request: { readonly path: string; readonly requestId: string; readonly timestampMs: number },
): string {
  return JSON.stringify({
    message: inPlatformWords(error),
    path: request.path,
    requestId: request.requestId,
    statusCode: error.status,
    timestamp: encodeTime(request.timestampMs),
    error: encodeWireError(error),
  });
}

/** Contract, "Errors of the platform": how the text of a status begins. */
function inPlatformWords({ code, type, message }: ApiError): string {
  if (code === 'invalid_request' && message.startsWith(moonshotPrefix)) {
    return `Body validation error: ${message.slice(moonshotPrefix.length)}`;
  }
  if (type === 'rate_limit_reached_error' && !message.startsWith(rateLimitPrefix)) {
    return `${rateLimitPrefix}: ${message}`;
  }
  return message;
}
