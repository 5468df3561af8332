/**
 * Computed prompt beginnings on disk: which there are, whose, and how much room they take. How they lie there:
 * `prefix-folder.ts`. Everything here can be computed again: whatever does not fit is dropped, and no failure reaches
 * a request.
 */
import path from 'node:path';
import { makeFolder } from '../../store/make-folder.ts';
import { type CachedSequence, createPrefixCache } from './prefix-cache.ts';
import {
  completeFile,
  namePattern,
  readChecksum,
  readFolder,
  removeFiles,
  statePath,
} from './prefix-folder.ts';

/** What a state depends on; a file of another identity cannot be used. */
export interface StateIdentity {
  /** SHA-256 of the weights, hexadecimal. */
  readonly modelDigest: string;
  /** Name of the llama.cpp library with its version. */
  readonly library: string;
  readonly kvType: string;
  readonly isKvUnified: boolean;
}

/** A file that is there, or is being completed. */
export interface FoundPrefix {
  readonly name: string;
  readonly tenant: string;
  readonly tokens: Int32Array;
  readonly path: string;
  readonly sizeBytes: number;
  /** Belongs to a context-cache object: never dropped to make room. */
  readonly isPinned: boolean;
}

export interface StoredPrefix extends FoundPrefix {
  /** CRC-32 of the file. */
  readonly checksum: number;
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
  ): { readonly file: FoundPrefix; readonly length: number } | undefined;
  /** Resolves when nothing is being written any more: then it is known how much room there is. */
  settled(): Promise<void>;
  /**
   * Saves at once and completes in the background; false = not stored. It can be found as soon as it is saved. What is
   * being written is not written twice.
   */
  write(prefix: NewPrefix): Promise<boolean>;
  /**
   * Whether the file is there and what was written; waits until it is. Must be asked before the file is given to
   * llama.cpp.
   */
  isIntact(file: FoundPrefix): Promise<boolean>;
  /** Marks a file as just used. */
  touch(name: string): void;
  drop(name: string): void;
}

/** Reads what earlier processes left, and removes what is of no use. Throws when the folder cannot be used. */
export function openPrefixFiles(options: PrefixFilesOptions): PrefixFiles {
  makeFolder(options.folder);
  const books = openBooks(options);
  const writes = new Map<string, Promise<boolean>>();
  for (const file of readFolder(options)) {
    books.add(file);
    books.complete(file);
  }
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
    isIntact: async ({ name, path: location }) => {
      const underway = writes.get(name);
      if (underway !== undefined) return await underway;
      try {
        return (await readChecksum(location)) === books.checksum(name);
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
  const known = new Map<string, KnownFile>();
  const nameByNumber = new Map<number, string>();
  let usedBytes = 0;
  let nextNumber = 1;

  /** Leaves the file where it is. */
  const forget = (name: string): boolean => {
    const found = known.get(name);
    if (found === undefined) return false;
    known.delete(name);
    index.remove(found.entry);
    nameByNumber.delete(found.entry.sequence);
    usedBytes -= found.file.sizeBytes;
    return true;
  };
  const drop = (name: string): void => {
    if (forget(name)) removeFiles(folder, name);
  };
  /** Begins with one that may not be dropped to make room. */
  const add = (file: FoundPrefix): void => {
    const number = nextNumber++;
    const entry = index.add(file.tenant, number, file.tokens);
    entry.computedTokens = file.tokens.length;
    known.set(file.name, { file, entry, checksum: undefined });
    nameByNumber.set(number, file.name);
    usedBytes += file.sizeBytes;
  };
  /** False: it was dropped meanwhile. */
  const complete = ({ name, checksum, isPinned }: StoredPrefix): boolean => {
    const found = known.get(name);
    if (found === undefined) return false;
    found.checksum = checksum;
    found.entry.isRunning = isPinned;
    return true;
  };

  return {
    get usedBytes() {
      return usedBytes;
    },
    files: (): FoundPrefix[] => Array.from(known.values(), ({ file }) => file),
    forget,
    drop,
    add,
    complete,
    /** Undefined until the file is complete. */
    checksum: (name: string): number | undefined => known.get(name)?.checksum,
    /** False: what may not be dropped leaves too little. */
    makeRoom(sizeBytes: number): boolean {
      const isDroppable = ({ entry }: KnownFile) => !entry.isRunning;
      const droppable = [...known.values()].filter(isDroppable);
      const droppableBytes = droppable.reduce((sum, { file }) => sum + file.sizeBytes, 0);
      // Without this look ahead, what can never fit would empty the folder for nothing.
      if (sizeBytes > 0 && usedBytes - droppableBytes + sizeBytes > bytesMax) return false;
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

interface KnownFile {
  readonly file: FoundPrefix;
  readonly entry: CachedSequence;
  checksum: number | undefined;
}

async function store(options: PrefixFilesOptions, books: Books, prefix: NewPrefix): Promise<boolean> {
  const { name, tenant, tokens, isPinned } = prefix;
  if (!namePattern.test(name)) throw new Error(`no name for a file: ${name}`);
  const unfinished = path.join(options.folder, `${name}.tmp`);
  let isTaken = false;
  try {
    books.drop(name);
    if (!books.makeRoom(prefix.sizeBytes)) return false;
    // The state must be taken before the sequence changes, so before anything is awaited.
    const sizeBytes = prefix.save(unfinished);
    if (sizeBytes === 0) throw new Error('llama.cpp could not write its state');
    const file = {
      name,
      tenant,
      tokens: tokens.slice(),
      path: statePath(options, name),
      sizeBytes,
      isPinned,
    };
    books.add(file);
    isTaken = true;
    if (books.complete(await completeFile(options, file, unfinished))) return true;
    removeFiles(options.folder, name);
    return false;
  } catch (error) {
    const isDropped = !books.forget(name) && isTaken;
    if (!isDropped) {
      process.stderr.write(`error: a computed prefix could not be stored: ${String(error)}\n`);
    }
    removeFiles(options.folder, name);
    return false;
  }
}
