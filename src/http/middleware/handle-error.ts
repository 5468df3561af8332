import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError, errorCatalogue, toApiError } from '../../errors.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { encodeErrorBody } from '../openai/encode-error.ts';

/** Clients ignore a longer wait and retry at once (openai-node does). */
const retryAfterSecondsMax = 60;

/** Turns whatever a route threw into one answer of the documented shape. */
export function createErrorHandler(
  dependencies: Pick<HttpDependencies, 'clock' | 'logger' | 'ids' | 'metrics'>,
) {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const error = classifyError(thrown);
    logError(dependencies, error, request);
    dependencies.metrics?.countError(error.code);
    // The router can fail before the first hook named the request.
    const requestId = request.context?.inferenceId ?? `req-${dependencies.ids.next()}`;
    reply.code(error.status);
    reply.header('x-inference-id', requestId);
    reply.header('content-type', 'application/json; charset=utf-8');
    reply.header('x-should-retry', String(error.isRetryable));
    if (error.retryAfterSeconds !== undefined) {
      const seconds = Math.min(retryAfterSecondsMax, Math.max(1, Math.ceil(error.retryAfterSeconds)));
      reply.header('retry-after', String(seconds));
    }
    reply.send(
      encodeErrorBody(error, {
        path: pathOf(request.url),
        requestId,
        timestampMs: dependencies.clock.now(),
      }),
    );
  };
}

export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/** The framework's own failures have codes; ours are ApiErrors already. */
function classifyError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const { code, statusCode } = isFastifyError(thrown) ? thrown : { code: '', statusCode: undefined };
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new ApiError('unsupported_media_type', { cause: thrown });
  if (code === 'FST_ERR_BAD_URL') {
    return new ApiError('invalid_request', {
      message: 'The address is not a valid URL path.',
      cause: thrown,
    });
  }
  if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE') {
    return new ApiError('client_closed_request', { cause: thrown });
  }
  if (code.startsWith('FST_ERR_') && statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ApiError('invalid_request', { cause: thrown });
  }
  return toApiError(thrown);
}

function isFastifyError(thrown: unknown): thrown is FastifyError {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string';
}

function logError(
  { logger }: Pick<HttpDependencies, 'logger'>,
  error: ApiError,
  request: FastifyRequest,
): void {
  const fields = {
    inferenceId: request.context?.inferenceId,
    method: request.method,
    path: request.context?.loggedPath ?? pathOf(request.url),
    code: error.code,
    param: error.param,
    internal: error.internal,
  };
  // The catalogue's text: that of the answer may repeat what the caller sent.
  const { message } = errorCatalogue[error.code];
  if (error.status >= 500) logger.error({ ...fields, err: error }, message);
  else logger.info(fields, message);
}

/** For a failure that became the last frame of a stream. */
export function logStreamError(
  { logger, metrics }: Pick<HttpDependencies, 'logger' | 'metrics'>,
  error: ApiError,
  inferenceId: string | undefined,
): void {
  metrics?.countError(error.code);
  const fields = { inferenceId, code: error.code, internal: error.internal };
  if (error.status >= 500) logger.error({ ...fields, err: error }, 'a stream failed');
  else logger.info(fields, 'a stream ended early');
}

const clientErrorTexts: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'The headers are too large.',
  ERR_HTTP_REQUEST_TIMEOUT: 'The request took too long to arrive.',
};

/** Answers what Node's HTTP parser refused, before there is a request. */
export function createClientErrorHandler(dependencies: Pick<HttpDependencies, 'clock' | 'ids'>) {
  return (cause: NodeJS.ErrnoException, socket: Socket): void => {
    if (cause.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const message = clientErrorTexts[cause.code ?? ''] ?? 'This is not a valid HTTP request.';
    const error = new ApiError('invalid_request', { message, cause });
    const requestId = `req-${dependencies.ids.next()}`;
    const body = encodeErrorBody(error, { path: '', requestId, timestampMs: dependencies.clock.now() });
    socket.end(
      `HTTP/1.1 ${error.status} Bad Request\r\ncontent-type: application/json; charset=utf-8\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nx-inference-id: ${requestId}\r\n` +
        `x-should-retry: false\r\nconnection: close\r\n\r\n${body}`,
    );
  };
}
