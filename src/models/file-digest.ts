/** SHA-256 of model files, remembered beside them so that a start does not read gigabytes again. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';

const recordSchema = z.object({ sizeBytes: z.number(), modifiedMs: z.number(), sha256: z.string() });

export interface FileDigest {
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
}

/**
 * The digest of a file. Taken from `<file>.sha256.json` while size and modification time are those of the record;
 * `canRecord: false` for files outside our own folder, next to which nothing is written. The signal ends the reading,
 * which takes minutes for large weights.
 */
export async function digestFile(
  file: string,
  options: { readonly canRecord: boolean; readonly signal?: AbortSignal },
): Promise<FileDigest> {
  const { size: sizeBytes, mtimeMs: modifiedMs } = await stat(file);
  const recordPath = `${file}.sha256.json`;
  if (options.canRecord) {
    const record = await readRecord(recordPath);
    if (record?.sizeBytes === sizeBytes && record.modifiedMs === modifiedMs) {
      return { sizeBytes, sha256: record.sha256 };
    }
  }
  const hash = createHash('sha256');
  const { signal } = options;
  await pipeline(
    createReadStream(file, { highWaterMark: 1 << 20 }),
    hash,
    signal === undefined ? {} : { signal },
  );
  const sha256 = hash.digest('hex');
  if (options.canRecord) await writeFile(recordPath, JSON.stringify({ sizeBytes, modifiedMs, sha256 }));
  return { sizeBytes, sha256 };
}

async function readRecord(recordPath: string) {
  try {
    return recordSchema.safeParse(JSON.parse(await readFile(recordPath, 'utf8'))).data;
  } catch {
    return undefined; // None yet, or not readable: hash again.
  }
}
