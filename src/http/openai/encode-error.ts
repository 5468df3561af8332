import type { ApiError } from '../../errors.ts';

/** The part that OpenAI's clients read. */
export interface WireError {
  readonly message: string;
  readonly type: string;
  readonly code: string;
  readonly param: string | null;
}

const moonshotPrefix = 'Invalid request: ';

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
  const isSchemaFailure = error.code === 'invalid_request' && error.message.startsWith(moonshotPrefix);
  return JSON.stringify({
    message: isSchemaFailure
      ? `Body validation error: ${error.message.slice(moonshotPrefix.length)}`
      : error.message,
    path: request.path,
    requestId: request.requestId,
    statusCode: error.status,
    timestamp: new Date(request.timestampMs).toISOString(),
    error: encodeWireError(error),
  });
}
