/**
 * Computed prompt beginnings on disk: which there are, whose, and how much room they take. How they lie there:
 * `prefix-folder.ts`. Everything here can be computed again: whatever does not fit is dropped, and no failure reaches
 * a request.
 */
import path from 'node:path';
import { makeFolder } from '../../store/make-folder.ts';
import { type CachedSequence, createPrefixCache } from './prefix-cache.ts';
import { completeFile, namePattern, readChecksum, readFolder, removeFiles } from './prefix-folder.ts';

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
  /** CRC-32 of the file. */
  readonly checksum: number;
  /** Belongs to a context-cache object: never dropped to make room. */
  readonly isPinned: boolean;
}

export interface NewPrefix {
  /** Lower-case letters, digits and hyphens; the same name is the same beginning of the same tenant. */
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
  /** The file that shares the longest beginning with the prompt. */
  find(
    tenant: string,
    tokens: Int32Array,
  ): { readonly file: StoredPrefix; readonly length: number } | undefined;
  /** Resolves when nothing is being written any more: then it is known how much room there is. */
  settled(): Promise<void>;
  /** Saves at once and completes in the background; false = not stored. What is being written is not written twice. */
  write(prefix: NewPrefix): Promise<boolean>;
  /** Whether the file is what was written. Must be asked before the file is given to llama.cpp. */
  isIntact(file: StoredPrefix): Promise<boolean>;
  /** Marks a file as just used. */
  touch(name: string): void;
  drop(name: string): void;
}

/** Reads what earlier processes left, and removes what is of no use. Throws when the folder cannot be used. */
export function openPrefixFiles(options: PrefixFilesOptions): PrefixFiles {
  makeFolder(options.folder);
  const books = openBooks(options);
  const writes = new Map<string, Promise<boolean>>();
  for (const file of readFolder(options)) books.add(file);
  books.makeRoom(0);
  return {
    get usedBytes() {
      return books.usedBytes;
    },
    get count() {
      return books.files().length;
    },
    pinnedNames: () =>
      books
        .files()
        .filter(({ isPinned }) => isPinned)
        .map(({ name }) => name),
    find: books.find,
    touch: books.touch,
    drop: books.drop,
    settled: async () => {
      await Promise.all(writes.values());
    },
    write(prefix) {
      const underway = writes.get(prefix.name);
      if (underway !== undefined) return underway;
      const writing = store(options, books, prefix).finally(() => writes.delete(prefix.name));
      writes.set(prefix.name, writing);
      return writing;
    },
    isIntact: async (file) => {
      try {
        return (await readChecksum(file.path)) === file.checksum;
      } catch {
        return false; // A file that cannot be read is as good as none.
      }
    },
  };
}

type Books = ReturnType<typeof openBooks>;

/** Which files there are, in the order of their use, and their room. */
function openBooks({ folder, bytesMax }: PrefixFilesOptions) {
  const index = createPrefixCache();
  const known = new Map<string, { readonly file: StoredPrefix; readonly entry: CachedSequence }>();
  const nameByNumber = new Map<number, string>();
  let usedBytes = 0;
  let nextNumber = 1;

  const drop = (name: string): void => {
    const found = known.get(name);
    if (found === undefined) return;
    known.delete(name);
    index.remove(found.entry);
    nameByNumber.delete(found.entry.sequence);
    usedBytes -= found.file.sizeBytes;
    removeFiles(folder, name);
  };
  const files = (): StoredPrefix[] => Array.from(known.values(), ({ file }) => file);

  return {
    get usedBytes() {
      return usedBytes;
    },
    files,
    drop,
    add(file: StoredPrefix): void {
      const number = nextNumber++;
      const entry = index.add(file.tenant, number, file.tokens);
      entry.computedTokens = file.tokens.length;
      entry.isRunning = file.isPinned;
      known.set(file.name, { file, entry });
      nameByNumber.set(number, file.name);
      usedBytes += file.sizeBytes;
    },
    /** Counts a file that is not yet known, or no more, when negative. */
    count(unfinishedBytes: number): void {
      usedBytes += unfinishedBytes;
    },
    /** False: what may not be dropped leaves too little. */
    makeRoom(sizeBytes: number): boolean {
      const droppable = files().reduce((sum, file) => sum + (file.isPinned ? 0 : file.sizeBytes), 0);
      // Without this look ahead, what can never fit would empty the folder for nothing.
      if (sizeBytes > 0 && usedBytes - droppable + sizeBytes > bytesMax) return false;
      while (usedBytes + sizeBytes > bytesMax) {
        const oldest = index.oldestIdle();
        const name = oldest === undefined ? undefined : nameByNumber.get(oldest.sequence);
        if (name === undefined) return false;
        drop(name);
      }
      return true;
    },
    find(tenant: string, tokens: Int32Array) {
      const ready = index.find(tenant, tokens).ready;
      const name = ready === undefined ? undefined : nameByNumber.get(ready.source.sequence);
      const file = name === undefined ? undefined : known.get(name)?.file;
      return ready === undefined || file === undefined ? undefined : { file, length: ready.length };
    },
    touch(name: string): void {
      const found = known.get(name);
      if (found !== undefined) index.touch(found.entry);
    },
  };
}

async function store(options: PrefixFilesOptions, books: Books, prefix: NewPrefix): Promise<boolean> {
  if (!namePattern.test(prefix.name)) throw new Error(`no name for a file: ${prefix.name}`);
  const unfinished = path.join(options.folder, `${prefix.name}.tmp`);
  let unfinishedBytes = 0;
  try {
    books.drop(prefix.name);
    if (!books.makeRoom(prefix.sizeBytes)) return false;
    // The state must be taken before the sequence changes, so before anything is awaited.
    unfinishedBytes = prefix.save(unfinished);
    if (unfinishedBytes === 0) throw new Error('llama.cpp could not write its state');
    books.count(unfinishedBytes);
    books.add(await completeFile(options, prefix, { unfinished, sizeBytes: unfinishedBytes }));
    return true;
  } catch (error) {
    process.stderr.write(`error: a computed prefix could not be stored: ${String(error)}\n`);
    removeFiles(options.folder, prefix.name);
    return false;
  } finally {
    books.count(-unfinishedBytes);
  }
}
