import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { errorCodeOf } from '../../error-code.ts';
import { ApiError } from '../../errors.ts';
import { watchBody } from './watch-body.ts';

/** What came in as the field `file`, and the text fields beside it. */
export interface Upload<Received> {
  readonly file:
    | { readonly received: Received; readonly filename: string; readonly mediaType: string }
    | undefined;
  readonly fields: ReadonlyMap<string, string>;
}

export interface UploadReader<Received extends { discard(): Promise<void> }> {
  /** Takes the bytes; a stream that is too long is its business. */
  receive(content: Readable): Promise<Received>;
  /** A body that declares more than this is refused before it is read, one that has more is read no further. */
  readonly bodyBytesMax: number;
  /** A body of which nothing came for so long is given up. */
  readonly idleMs: number;
  /** What to throw then. */
  tooLarge(): ApiError;
}

const fieldBytesMax = 4_096;
const fieldsMax = 20;
const filenameCharsMax = 255;

/** Lets forms through unread on the routes of this scope; everywhere else they are no JSON. */
export function acceptForms(scope: FastifyInstance): void {
  scope.addContentTypeParser('multipart/form-data', (_request, payload, done) => done(null, payload));
}

/**
 * Reads a form (RFC 7578) piece by piece. Fields may come before or after the file. Throws ApiError; nothing that was
 * received is left behind then.
 */
export async function readUpload<Received extends { discard(): Promise<void> }>(
  request: FastifyRequest,
  reader: UploadReader<Received>,
): Promise<Upload<Received>> {
  if (Number(request.headers['content-length']) > reader.bodyBytesMax) throw reader.tooLarge();
  const form = openForm(request.raw);
  const fields = new Map<string, string>();
  let content: Readable | undefined;
  let receiving: Promise<Received> | undefined;
  let labels = { filename: '', mediaType: '' };
  form.on('field', (name, value) => fields.set(name, value));
  form.on('file', (name, stream, filename, _encoding, mediaType) => {
    // The form fails with it as well; of a file that nobody reads, or reads no more, it would end the whole process.
    stream.on('error', () => undefined);
    if (name !== 'file' || receiving !== undefined) {
      stream.resume();
      return;
    }
    content = stream;
    labels = { filename: cleanFilename(filename), mediaType };
    receiving = reader.receive(stream);
    // A disk that fails ends the reading; a refusal that let the stream run on does not.
    receiving.catch((error: unknown) => {
      if (stream.destroyed && error instanceof Error) form.destroy(error);
    });
  });
  const reading = pipeline(request.raw, form);
  const watch = watchBody(request.raw, {
    idleMs: reader.idleMs,
    bytesMax: reader.bodyBytesMax,
    stalled: () => stalled(reader.idleMs),
    tooLarge: () => reader.tooLarge(),
  });
  try {
    await Promise.race([reading, watch.broken]);
  } catch (error) {
    // Of a body that is given up the connection is closed behind the answer, and the reading fails with it.
    reading.catch(() => undefined);
    content?.destroy();
    const received = await receiving?.catch(() => undefined);
    await received?.discard();
    throw classifyFormError(error, request.raw);
  } finally {
    watch.end();
  }
  const received = await receiving;
  return { file: received === undefined ? undefined : { received, ...labels }, fields };
}

function openForm(raw: IncomingMessage): BusboyInstance {
  const { 'content-type': contentType } = raw.headers;
  if (contentType === undefined || !/^multipart\/form-data\s*;/i.test(contentType)) throw notAForm();
  try {
    return new Busboy({
      headers: { ...raw.headers, 'content-type': contentType },
      limits: { files: 2, fields: fieldsMax, fieldSize: fieldBytesMax, parts: fieldsMax + 2 },
    });
  } catch (cause) {
    throw notAForm(cause);
  }
}

const stalled = (idleMs: number): ApiError =>
  new ApiError('invalid_request', {
    message: `Invalid request: the upload stalled, nothing of it came for ${idleMs / 1_000} seconds.`,
  });

const notAForm = (cause?: unknown): ApiError =>
  new ApiError('unsupported_media_type', {
    message: 'Invalid request: send the file as `multipart/form-data` with the fields `file` and `purpose`.',
    cause,
  });

function classifyFormError(error: unknown, raw: IncomingMessage): unknown {
  if (error instanceof ApiError) return error;
  if (raw.destroyed && !raw.complete) return new ApiError('client_closed_request', { cause: error });
  // Disks and sockets have codes; the form's parser has words only.
  if (errorCodeOf(error) !== undefined) return error;
  return new ApiError('invalid_request', {
    message: 'Invalid request: the form is not complete, or not a form.',
    cause: error,
  });
}

/** The name is shown in lists and logs: no control characters, no folders, no end. */
function cleanFilename(filename: string | undefined): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  const clean = (filename ?? '').replaceAll(/[\u0000-\u001f\u007f]/g, '').slice(-filenameCharsMax);
  return clean === '' ? 'file' : clean;
}
