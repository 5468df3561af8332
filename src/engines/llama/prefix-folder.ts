/**
 * How a computed prefix lies on disk: `<name>.kv`, written by llama.cpp, and `<name>.json`, written last and removed
 * first, so that it proves the other.
 */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { open, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import type { FoundPrefix, PrefixFilesOptions, StateIdentity, StoredPrefix } from './prefix-files.ts';

const formatVersion = 2;
/** Lower-case letters, digits and hyphens. */
export const namePattern = /^[a-z0-9-]{1,100}$/;
const readBytes = 1 << 20;

/** Where the state of a prefix lies once it is complete. */
export const statePath = ({ folder }: PrefixFilesOptions, name: string): string =>
  path.join(folder, `${name}.kv`);

/**
 * Checksum, sync, rename, header: in this order no pinned state is ever lost to a power failure. Of others nobody
 * was promised anything: one that was cut short then does not have its checksum, and is computed again.
 */
export async function completeFile(
  { folder, identity, contextTokens }: PrefixFilesOptions,
  file: FoundPrefix,
  unfinished: string,
): Promise<StoredPrefix> {
  const { name, tenant, tokens, isPinned, sizeBytes } = file;
  const checksum = await readChecksum(unfinished);
  if (isPinned) await syncFile(unfinished);
  await rename(unfinished, file.path);
  const header: Header = {
    formatVersion,
    ...identity,
    contextTokens,
    tenant,
    isPinned,
    sizeBytes,
    checksum,
    tokens: Buffer.from(tokens.buffer, tokens.byteOffset, tokens.byteLength).toString('base64'),
  };
  const unfinishedHeader = `${unfinished}.json`;
  await writeFile(unfinishedHeader, JSON.stringify(header), { mode: 0o600, flush: isPinned });
  await rename(unfinishedHeader, path.join(folder, `${name}.json`));
  return { ...file, checksum };
}

interface Header extends StateIdentity {
  readonly formatVersion: number;
  readonly contextTokens: number;
  readonly tenant: string;
  readonly isPinned: boolean;
  readonly sizeBytes: number;
  readonly checksum: number;
  /** Base64 of 32-bit integers in the machine's order of bytes, as the state itself. */
  readonly tokens: string;
}

/** What earlier processes left and can be used; everything else of ours is removed. Throws what the system says. */
export function readFolder(options: PrefixFilesOptions): StoredPrefix[] {
  const names = readdirSync(options.folder);
  const usable = names.flatMap((fileName) => {
    if (!fileName.endsWith('.json') || fileName.endsWith('.tmp.json')) return [];
    const file = readHeader(options, fileName.slice(0, -'.json'.length));
    return file === undefined ? [] : [file];
  });
  const kept = new Set(usable.flatMap(({ name }) => [`${name}.json`, `${name}.kv`]));
  for (const fileName of names) {
    const isOurs = /\.(kv|json|tmp)$/.test(fileName);
    if (isOurs && !kept.has(fileName)) rmSync(path.join(options.folder, fileName), { force: true });
  }
  return usable;
}

/** Undefined for a header that cannot be read, is of another identity, or whose state is not there in full. */
function readHeader(options: PrefixFilesOptions, name: string): StoredPrefix | undefined {
  try {
    const { folder, identity } = options;
    const location = statePath(options, name);
    const header: unknown = JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8'));
    if (!namePattern.test(name) || !isHeader(header)) return undefined;
    const isFitting =
      header.modelDigest === identity.modelDigest &&
      header.library === identity.library &&
      header.kvType === identity.kvType &&
      header.isKvUnified === identity.isKvUnified;
    if (!isFitting || statSync(location).size !== header.sizeBytes) return undefined;
    const bytes = Uint8Array.from(Buffer.from(header.tokens, 'base64'));
    const { tenant, sizeBytes, checksum, isPinned } = header;
    return {
      name,
      tenant,
      tokens: new Int32Array(bytes.buffer),
      path: location,
      sizeBytes,
      checksum,
      isPinned,
    };
  } catch {
    return undefined; // Cut short, edited or gone: it is computed again.
  }
}

function isHeader(value: unknown): value is Header {
  if (typeof value !== 'object' || value === null) return false;
  const header = value as Partial<Record<keyof Header, unknown>>; // Every field is looked at below.
  return (
    header.formatVersion === formatVersion &&
    typeof header.tenant === 'string' &&
    typeof header.isPinned === 'boolean' &&
    typeof header.sizeBytes === 'number' &&
    typeof header.checksum === 'number' &&
    typeof header.tokens === 'string'
  );
}

/** CRC-32 of a file, as in gzip: it finds what disks and power failures do, in a tenth of the time of a SHA-256. */
export async function readChecksum(file: string): Promise<number> {
  const handle = await open(file);
  try {
    const chunk = Buffer.allocUnsafe(readBytes);
    let checksum = 0;
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length);
      if (bytesRead === 0) return checksum;
      checksum = crc32(chunk.subarray(0, bytesRead), checksum);
    }
  } finally {
    await handle.close();
  }
}

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Whatever there is of a prefix, finished or not. What cannot be removed now (a disk that became read-only) is told of,
 * and found again at the next start.
 */
export function removeFiles(folder: string, name: string): void {
  for (const ending of ['json', 'kv', 'tmp', 'tmp.json']) {
    try {
      rmSync(path.join(folder, `${name}.${ending}`), { force: true });
    } catch (error) {
      process.stderr.write(`error: a computed prefix could not be removed: ${String(error)}\n`);
    }
  }
}
