/**
 * How a computed prefix lies on disk: `<name>.kv`, written by llama.cpp, and `<name>.json`, written last and removed
 * first, so that it proves the other.
 */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { open, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { NewPrefix, PrefixFilesOptions, StateIdentity, StoredPrefix } from './prefix-files.ts';

const formatVersion = 1;
/** Lower-case letters, digits and hyphens. */
export const namePattern = /^[a-z0-9-]{1,100}$/;
const hashChunkBytes = 1 << 20;

interface Unfinished {
  readonly unfinished: string;
  readonly sizeBytes: number;
}

/** Hash, sync, rename, header: in this order nothing half-written can ever be found. */
export async function completeFile(
  { folder, identity, contextTokens }: PrefixFilesOptions,
  { name, tenant, tokens, isPinned }: NewPrefix,
  { unfinished, sizeBytes }: Unfinished,
): Promise<StoredPrefix> {
  const sha256 = await hashFile(unfinished);
  await syncFile(unfinished);
  const statePath = path.join(folder, `${name}.kv`);
  await rename(unfinished, statePath);
  const header: Header = {
    formatVersion,
    ...identity,
    contextTokens,
    tenant,
    isPinned,
    sizeBytes,
    sha256,
    tokens: Buffer.from(tokens.buffer, tokens.byteOffset, tokens.byteLength).toString('base64'),
  };
  const unfinishedHeader = `${unfinished}.json`;
  await writeFile(unfinishedHeader, JSON.stringify(header), { mode: 0o600, flush: true });
  await rename(unfinishedHeader, path.join(folder, `${name}.json`));
  return { name, tenant, tokens: tokens.slice(), path: statePath, sizeBytes, sha256, isPinned };
}

interface Header extends StateIdentity {
  readonly formatVersion: number;
  readonly contextTokens: number;
  readonly tenant: string;
  readonly isPinned: boolean;
  readonly sizeBytes: number;
  readonly sha256: string;
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
function readHeader({ folder, identity }: PrefixFilesOptions, name: string): StoredPrefix | undefined {
  try {
    const statePath = path.join(folder, `${name}.kv`);
    const header: unknown = JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8'));
    if (!namePattern.test(name) || !isHeader(header)) return undefined;
    const isFitting =
      header.modelDigest === identity.modelDigest &&
      header.library === identity.library &&
      header.kvType === identity.kvType &&
      header.isKvUnified === identity.isKvUnified;
    if (!isFitting || statSync(statePath).size !== header.sizeBytes) return undefined;
    const bytes = Uint8Array.from(Buffer.from(header.tokens, 'base64'));
    const { tenant, sizeBytes, sha256, isPinned } = header;
    return {
      name,
      tenant,
      tokens: new Int32Array(bytes.buffer),
      path: statePath,
      sizeBytes,
      sha256,
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
    typeof header.sha256 === 'string' &&
    typeof header.tokens === 'string'
  );
}

/** SHA-256, hexadecimal. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: hashChunkBytes }), hash);
  return hash.digest('hex');
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
