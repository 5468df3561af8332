import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** Files are large: fewer pieces cost fewer trips between threads. */
const chunkBytes = 1 << 20;

/** SHA-256, hexadecimal. The signal ends the reading, which takes minutes for large weights. */
export async function hashFile(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const source = createReadStream(file, { highWaterMark: chunkBytes });
  await pipeline(source, hash, signal === undefined ? {} : { signal });
  return hash.digest('hex');
}
