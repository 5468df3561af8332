/** A response's body, decompressed, and never more of it than asked for: compressed bombs stop where the count does. */
import { pipeline, type Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { EgressError } from './egress.ts';

/** What we offer, and so may be answered with. */
export const acceptEncoding = 'gzip, deflate, br';

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  // Not offered, but some servers send it to everybody.
  zstd: createZstdDecompress,
};

interface BodyLimits {
  /** Both on the wire and decompressed. */
  readonly bytesMax: number;
  readonly signal: AbortSignal;
}

/**
 * Throws EgressError `too_large` or `bad_encoding`, or whatever the stream failed with. The stream is destroyed in any
 * case, so that a server that goes on sending talks to a closed connection.
 */
export async function readBoundedBody(
  body: Readable,
  contentEncoding: string,
  { bytesMax, signal }: BodyLimits,
): Promise<Buffer> {
  const decoder = createDecoder(contentEncoding, body);
  // Empty blocks decompress to nothing, so the wire has to be counted as well.
  const stages = decoder === undefined ? [] : [countBytes(bytesMax), decoder];
  const chunks: Buffer[] = [];
  const collector = countBytes(bytesMax);
  collector.on('data', (chunk: Buffer) => chunks.push(chunk));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => {
    discardBody(body);
    reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  pipeline([body, ...stages, collector], (error) => {
    if (error == null) resolve();
    else reject(isDecodingError(error) ? describeDecodingError(error) : error);
  });
  try {
    signal.throwIfAborted();
    await promise;
    return Buffer.concat(chunks);
  } finally {
    signal.removeEventListener('abort', onAbort);
    discardBody(body);
  }
}

/** Closes the connection under a body that nobody will read. */
export function discardBody(body: Readable): void {
  // undici reports the destruction itself as an error of the stream, and there is nobody else to hear it.
  body.on('error', () => undefined);
  body.destroy();
}

function createDecoder(contentEncoding: string, body: Readable): Transform | undefined {
  const encoding = contentEncoding.trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return undefined;
  const create = decoders[encoding];
  if (create !== undefined) return create();
  discardBody(body);
  // Also for lists such as `gzip, gzip`: each layer multiplies what a bomb costs, and no real server sends them.
  throw new EgressError('bad_encoding', 'The page is compressed in a way that is not supported.');
}

/** A body of single bytes would be millions of buffers, and hold the event loop for seconds. */
const piecesMax = 20_000;

function countBytes(bytesMax: number): Transform {
  let sizeBytes = 0;
  let pieceCount = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length;
      pieceCount += 1;
      if (sizeBytes > bytesMax) {
        done(new EgressError('too_large', `The page is larger than ${bytesMax} bytes.`));
      } else if (pieceCount > piecesMax) {
        done(new EgressError('too_large', `The page comes in more than ${piecesMax} pieces.`));
      } else done(null, chunk);
    },
  });
}

/** zlib's own errors have codes such as `Z_DATA_ERROR` or `ERR__ERROR_FORMAT_PADDING_1` (brotli). */
function isDecodingError(error: NodeJS.ErrnoException): boolean {
  return /^(Z_|ERR_*BROTLI|ERR__|ZSTD_|ERR_ZSTD)/.test(error.code ?? '');
}

const describeDecodingError = (cause: Error): EgressError =>
  new EgressError('bad_encoding', 'The page cannot be decompressed.', { cause });
