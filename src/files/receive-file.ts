import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeFolder } from '../store/make-folder.ts';

/** A file on its way in: on this machine's disk, under no name that anybody knows. */
export interface ReceivedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Of what was sent, more than may be: the file was not kept. */
  readonly isTooLarge: boolean;
  /** Removes it, if it is still there. */
  discard(): Promise<void>;
}

/**
 * Writes a stream to disk, piece by piece. What goes beyond the limit is read and dropped, so that the sender hears the
 * answer instead of a broken connection. Rejects with the stream's error, leaving nothing behind.
 */
export async function receiveFile(
  content: Readable,
  folder: string,
  bytesMax: number,
): Promise<ReceivedFile> {
  makeFolder(folder);
  const file = path.join(folder, randomUUID());
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length;
      if (sizeBytes > bytesMax) {
        done();
        return;
      }
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const discard = async (): Promise<void> => await rm(file, { force: true });
  try {
    await pipeline(content, counter, createWriteStream(file, { mode: 0o600 }));
  } catch (error) {
    await discard();
    throw error;
  }
  const isTooLarge = sizeBytes > bytesMax;
  if (isTooLarge) await discard();
  return { path: file, sizeBytes, sha256: hash.digest('hex'), isTooLarge, discard };
}
