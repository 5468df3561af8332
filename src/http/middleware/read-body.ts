import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../errors.ts';

/** Beyond this many times the limit a body is refused by its declared size, or where the count stands. */
const countedTimesLimit = 16;

/** Time for a body that is kept in memory. */
const bodyMsMax = 300_000;

/**
 * Reads a body of at most `bytesMax`. A larger one is counted to its end, because the error names its exact size
 * and because a client that is still sending would see a broken connection instead of the answer.
 * Throws ApiError `body_too_large`, or `invalid_request` when it does not come to its end.
 */
export function createBodyReader(bytesMax: number) {
  const countedBytesMax = bytesMax * countedTimesLimit;
  return (_request: FastifyRequest, payload: IncomingMessage): Promise<Buffer> =>
    // Listeners, not `for await`: an iterator costs as much as the rest of a small request.
    new Promise((resolve, reject) => {
      const declaredBytes = Number(payload.headers['content-length']);
      if (declaredBytes > countedBytesMax) return reject(bodyTooLarge(declaredBytes, bytesMax));
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      payload.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes <= bytesMax) chunks.push(chunk);
        else if (sizeBytes <= countedBytesMax) chunks.length = 0;
        else reject(bodyTooLarge(sizeBytes, bytesMax));
      });
      const late = setTimeout(() => reject(bodyTooLate()), bodyMsMax);
      payload.on('error', (error) => {
        clearTimeout(late);
        reject(error);
      });
      payload.on('end', () => {
        clearTimeout(late);
        if (sizeBytes > bytesMax) reject(bodyTooLarge(sizeBytes, bytesMax));
        else resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
      });
    });
}

const bodyTooLate = (): ApiError =>
  new ApiError('invalid_request', { message: 'The request took too long to arrive.' });

function bodyTooLarge(sizeBytes: number, bytesMax: number): ApiError {
  return new ApiError('body_too_large', {
    message: `Invalid request: total message size ${sizeBytes} exceeds limit ${bytesMax}`,
  });
}

const mediaTypePattern = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+/;

/** Fastify refuses a body whose label it cannot read, but here the body decides: such a label says nothing. */
export function repairContentType(request: FastifyRequest, _reply: unknown, done: () => void): void {
  const type = request.headers['content-type'];
  if (type !== undefined && !mediaTypePattern.test(type)) {
    request.headers['content-type'] = 'application/octet-stream';
  }
  done();
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const jsonTypePattern = /^(?:application\/(?:[\w.-]+\+)?json|text\/json)\b/i;

/**
 * Parses what `createBodyReader` read. The body decides, not its label: JSON is taken under any content type, as
 * OpenAI does. Throws ApiError `invalid_json`, or `unsupported_media_type` when the label promised something else.
 */
export function parseJsonBody(request: FastifyRequest): unknown {
  const { body } = request;
  if (!(body instanceof Buffer) || body.length === 0) {
    throw new ApiError('invalid_json', {
      message: 'Invalid request: the body is empty; send a JSON object.',
    });
  }
  try {
    return JSON.parse(utf8.decode(body));
  } catch (cause) {
    const type = request.headers['content-type'];
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw new ApiError('unsupported_media_type', {
        message: `Invalid request: the body is sent with \`Content-Encoding: ${encoding}\`; send it uncompressed.`,
        cause,
      });
    }
    if (type !== undefined && !jsonTypePattern.test(type))
      throw new ApiError('unsupported_media_type', { cause });
    throw new ApiError('invalid_json', { message: describeSyntaxError(cause), cause });
  }
}

function describeSyntaxError(cause: unknown): string {
  const text = 'Invalid request: the body is not valid JSON';
  // V8's message quotes the body around the fault; the position alone says enough and repeats no secrets.
  const position = cause instanceof SyntaxError ? /position (\d+)/.exec(cause.message)?.[1] : undefined;
  return position === undefined ? `${text}.` : `${text}: it cannot be read at character ${position}.`;
}
