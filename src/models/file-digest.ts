/** SHA-256 of model files, remembered in the models folder so that a start does not read gigabytes again. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { parseJson } from '../parse-json.ts';
import { readIfThere } from './read-if-there.ts';

const recordSchema = z.object({
  sizeBytes: z.number(),
  modifiedMs: z.number(),
  inode: z.number().optional(),
  sha256: z.string(),
});

export interface FileDigest {
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** Where the digest of a file of ours is remembered: beside it. */
export const recordBeside = (file: string): string => `${file}.sha256.json`;

/** Where the digest of somebody else's file is remembered: nothing is written next to it. The folder must exist. */
export function recordWithin(modelsDir: string, file: string): string {
  const name = createHash('sha256').update(path.resolve(file)).digest('hex').slice(0, 32);
  return path.join(modelsDir, `${name}.sha256.json`);
}

/**
 * The digest of a file. Taken from the record while size, modification time and inode are those that it names.
 * Without a path for one nothing is remembered. The signal ends the reading, which takes minutes for large weights.
 */
export async function digestFile(
  file: string,
  options: { readonly recordPath?: string; readonly signal?: AbortSignal } = {},
): Promise<FileDigest> {
  const { size: sizeBytes, mtimeMs: modifiedMs, ino: inode } = await stat(file);
  const { recordPath } = options;
  const record = recordPath === undefined ? undefined : await readRecord(recordPath);
  if (record?.sizeBytes === sizeBytes && record.modifiedMs === modifiedMs && record.inode === inode) {
    return { sizeBytes, sha256: record.sha256 };
  }
  const hash = createHash('sha256');
  const { signal } = options;
  await pipeline(
    createReadStream(file, { highWaterMark: 1 << 20 }),
    hash,
    signal === undefined ? {} : { signal },
  );
  const sha256 = hash.digest('hex');
  if (recordPath !== undefined) {
    await writeFile(recordPath, JSON.stringify({ sizeBytes, modifiedMs, inode, sha256 }));
  }
  return { sizeBytes, sha256 };
}

async function readRecord(recordPath: string) {
  // None yet, or one that was cut short: the file is hashed again.
  return recordSchema.safeParse(parseJson((await readIfThere(recordPath)) ?? '')).data;
}
