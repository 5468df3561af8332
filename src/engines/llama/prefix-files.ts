/**
 * Computed prompt beginnings on disk: which there are, whose, and how much room they take. A prefix is two files:
 * `<name>.kv`, written by llama.cpp, and `<name>.json`, written last and removed first, so that it proves the other.
 * Everything here can be computed again: whatever does not fit is dropped, and no failure reaches a request.
 */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { makeFolder } from '../../store/make-folder.ts';
import { type CachedSequence, createPrefixCache } from './prefix-cache.ts';

/** What a state depends on; a file of another identity cannot be used. */
export interface StateIdentity {
  /** SHA-256 of the weights, hexadecimal. */
  readonly modelDigest: string;
  /** Name of the llama.cpp library with its version. */
  readonly library: string;
  readonly kvType: string;
  readonly isKvUnified: boolean;
}

export interface StoredPrefix {
  readonly name: string;
  readonly tenant: string;
  readonly tokens: Int32Array;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Belongs to a context-cache object: never dropped to make room. */
  readonly isPinned: boolean;
}

export interface NewPrefix {
  /** Lower-case letters, digits and hyphens. */
  readonly name: string;
  readonly tenant: string;
  readonly tokens: Int32Array;
  readonly isPinned: boolean;
  /** What the file will take, to make room for it first. */
  readonly sizeBytes: number;
  /** Writes the state and returns the file's size; 0 = it could not be written. */
  readonly save: (path: string) => number;
}

export interface PrefixFilesOptions {
  readonly folder: string;
  /** All files together. */
  readonly bytesMax: number;
  readonly identity: StateIdentity;
  /** For the header only: the window does not change a state. */
  readonly contextTokens: number;
}

export interface PrefixFiles {
  readonly usedBytes: number;
  readonly count: number;
  /** Names of the pinned ones. */
  pinnedNames(): string[];
  has(name: string): boolean;
  /** The file that shares the longest beginning with the prompt. */
  find(
    tenant: string,
    tokens: Int32Array,
  ): { readonly file: StoredPrefix; readonly length: number } | undefined;
  /** Resolves when nothing is being written any more: then it is known how much room there is. */
  settled(): Promise<void>;
  /** Saves at once and completes in the background; false = not stored. */
  write(prefix: NewPrefix): Promise<boolean>;
  /** Whether the file is what was written. Must be asked before the file is given to llama.cpp. */
  isIntact(file: StoredPrefix): Promise<boolean>;
  /** Marks a file as just used. */
  touch(name: string): void;
  drop(name: string): void;
}

const formatVersion = 1;
const namePattern = /^[a-z0-9-]{1,100}$/;
const hashChunkBytes = 1 << 20;

/** Reads what earlier processes left, and removes what is of no use. Throws when the folder cannot be used. */
export function openPrefixFiles(options: PrefixFilesOptions): PrefixFiles {
  const { folder, bytesMax } = options;
  makeFolder(folder);
  const index = createPrefixCache();
  const files = new Map<string, { readonly file: StoredPrefix; readonly entry: CachedSequence }>();
  const nameByNumber = new Map<number, string>();
  const writes = new Set<Promise<boolean>>();
  let usedBytes = 0;
  let nextNumber = 1;

  const add = (file: StoredPrefix): void => {
    const number = nextNumber++;
    const entry = index.add(file.tenant, number, file.tokens);
    entry.computedTokens = file.tokens.length;
    entry.isRunning = file.isPinned;
    files.set(file.name, { file, entry });
    nameByNumber.set(number, file.name);
    usedBytes += file.sizeBytes;
  };
  const drop = (name: string): void => {
    const known = files.get(name);
    if (known === undefined) return;
    files.delete(name);
    index.remove(known.entry);
    nameByNumber.delete(known.entry.sequence);
    usedBytes -= known.file.sizeBytes;
    removeFiles(folder, name);
  };
  const makeRoom = (sizeBytes: number): boolean => {
    while (usedBytes + sizeBytes > bytesMax) {
      const oldest = index.oldestIdle();
      const name = oldest === undefined ? undefined : nameByNumber.get(oldest.sequence);
      if (name === undefined) return false;
      drop(name);
    }
    return true;
  };
  const write = (prefix: NewPrefix): Promise<boolean> => {
    const writing = store(prefix).finally(() => writes.delete(writing));
    writes.add(writing);
    return writing;
  };
  const store = async (prefix: NewPrefix): Promise<boolean> => {
    if (!namePattern.test(prefix.name)) throw new Error(`no name for a file: ${prefix.name}`);
    const unfinished = path.join(folder, `${prefix.name}.${nextNumber++}.tmp`);
    let unfinishedBytes = 0;
    try {
      drop(prefix.name);
      if (!makeRoom(prefix.sizeBytes)) return false;
      // The state must be taken before the sequence changes, so before anything is awaited.
      unfinishedBytes = prefix.save(unfinished);
      if (unfinishedBytes === 0) throw new Error('llama.cpp could not write its state');
      usedBytes += unfinishedBytes;
      add(await complete(options, prefix, { unfinished, sizeBytes: unfinishedBytes }));
      return true;
    } catch (error) {
      process.stderr.write(`error: a computed prefix could not be stored: ${String(error)}\n`);
      await rm(unfinished, { force: true });
      removeFiles(folder, prefix.name);
      return false;
    } finally {
      usedBytes -= unfinishedBytes;
    }
  };

  for (const file of readFolder(options)) add(file);
  makeRoom(0);
  return {
    get usedBytes() {
      return usedBytes;
    },
    get count() {
      return files.size;
    },
    pinnedNames: () => [...files.values()].filter(({ file }) => file.isPinned).map(({ file }) => file.name),
    has: (name) => files.has(name),
    find(tenant, tokens) {
      const ready = index.find(tenant, tokens).ready;
      const name = ready === undefined ? undefined : nameByNumber.get(ready.source.sequence);
      const file = name === undefined ? undefined : files.get(name)?.file;
      return ready === undefined || file === undefined ? undefined : { file, length: ready.length };
    },
    settled: async () => {
      await Promise.all(writes);
    },
    write,
    isIntact: async (file) => {
      try {
        return (await hashFile(file.path)) === file.sha256;
      } catch {
        return false; // A file that cannot be read is as good as none.
      }
    },
    touch(name) {
      const known = files.get(name);
      if (known !== undefined) index.touch(known.entry);
    },
    drop,
  };
}

interface Unfinished {
  readonly unfinished: string;
  readonly sizeBytes: number;
}

/** Hash, sync, rename, header: in this order nothing half-written can ever be found. */
async function complete(
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

function readFolder(options: PrefixFilesOptions): StoredPrefix[] {
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

async function hashFile(file: string): Promise<string> {
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

function removeFiles(folder: string, name: string): void {
  rmSync(path.join(folder, `${name}.json`), { force: true });
  rmSync(path.join(folder, `${name}.kv`), { force: true });
}
