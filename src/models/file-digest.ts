/** SHA-256 of model files, remembered in the models folder so that a start does not read gigabytes again. */
import { createHash } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { hashFile } from '../hash-file.ts';
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
  const sha256 = await hashFile(file, options.signal);
  if (recordPath !== undefined) {
    await writeFile(recordPath, JSON.stringify({ sizeBytes, modifiedMs, inode, sha256 }));
  }
  return { sizeBytes, sha256 };
}

async function readRecord(recordPath: string) {
  // None yet, or one that was cut short: the file is hashed again.
  return recordSchema.safeParse(parseJson((await readIfThere(recordPath)) ?? '')).data;
}
