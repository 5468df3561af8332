/**
 * Moves computed prefixes between the KV cache and the disk: those that are evicted, those that context-cache
 * objects pin, and back when a prompt begins with one. Everything that touches the KV cache runs between decodes.
 */
import { createHash } from 'node:crypto';
import type { EvictedSequences, KvPool } from './kv-pool.ts';
import type { NativeContext } from './native-context.ts';
import { type CachedSequence, commonPrefix } from './prefix-cache.ts';
import type { FoundPrefix, NewPrefix, PrefixFiles } from './prefix-files.ts';
import type { TransferPace } from './transfer-pace.ts';

/** A file that is being checked for a prompt that waits for it. */
export interface Restore {
  readonly file: FoundPrefix;
  /** Undefined while it is being read. */
  isIntact: boolean | undefined;
  readonly startedAt: number;
}

export interface PrefixSpill extends EvictedSequences {
  /**
   * Begins to read the file that spares a prompt the most; undefined when none is worth it.
   * @param readyTokens what is in the KV cache already
   */
  seek(tenant: string, prompt: Int32Array, readyTokens: number): Restore | undefined;
  /** Brings a file that was read into the KV cache, if it is intact and there is room. */
  load(restore: Restore, pool: KvPool): void;
  /** Writes a prefix under the name of its object. False: it is not in the KV cache, or could not be stored. */
  pin(name: string, prefix: { readonly tenant: string; readonly tokens: Int32Array }): Promise<boolean>;
  unpin(name: string): void;
  /** True when `runErrands` has something to do. */
  readonly isDue: boolean;
  /** Does what may only be done between two decodes. */
  runErrands(pool: KvPool): void;
  recordPrefill(tokens: number, elapsedMs: number): void;
  stats(): {
    readonly storedPrefixes: number;
    readonly storedBytes: number;
    readonly restoredTokensTotal: number;
  };
}

export interface PrefixSpillOptions {
  readonly context: NativeContext;
  readonly files: PrefixFiles;
  readonly pace: TransferPace;
  /** Called when a file was read, or an errand came up: the next step has something to do here. */
  readonly onDue: () => void;
  /** Told when the file of an object turned out to be damaged. */
  readonly onLost: (name: string) => void;
}

/** The sequence that states are saved from and loaded into: llama.cpp does both for low ids only. */
export const transferSequence = 0;

/** Of an engine that keeps nothing on disk. */
export const noSpillStats = { storedPrefixes: 0, storedBytes: 0, restoredTokensTotal: 0 };

export function createPrefixSpill(options: PrefixSpillOptions): PrefixSpill {
  const { files, pace } = options;
  const reader = createReader(options);
  const errands: ((pool: KvPool) => void)[] = [];
  /** What the last eviction came to: a disk that is full or broken gives nothing back. */
  let canStore = true;
  /** @param writtenTokens of its beginning: they need not be written again for a few tokens more. */
  const isWorthWriting = ({ tenant, tokens }: CachedSequence, writtenTokens = 0): boolean =>
    pace.isWorthSaving(tokens.length - Math.max(writtenTokens, files.find(tenant, tokens)?.length ?? 0));
  return {
    seek: reader.seek,
    load: reader.load,
    isKept: (tokens) => canStore && pace.isWorthSaving(tokens),
    tokensToWrite(entries) {
      const written: CachedSequence[] = [];
      for (const entry of entries) {
        const shared = written.map((other) => commonPrefix(other.tokens, entry.tokens));
        if (isWorthWriting(entry, Math.max(0, ...shared))) written.push(entry);
      }
      return written.reduce((sum, { tokens }) => sum + tokens.length, 0);
    },
    keep(entry) {
      const { tenant, tokens } = entry;
      if (!isWorthWriting(entry)) return;
      // Nobody waits for it: a failure has been logged, and the prefix is computed again.
      void save(options, { name: spillName(tenant, tokens), tokens, isPinned: false }, entry).then(
        (isStored) => {
          canStore = isStored;
        },
      );
    },
    async pin(name, { tenant, tokens }) {
      // What is being written could make room once it is there.
      await files.settled();
      return await new Promise((resolve) => {
        errands.push((pool) => {
          const ready = pool.cache.find(tenant, tokens).ready;
          const isThere = ready !== undefined && ready.length === tokens.length;
          resolve(isThere && save(options, { name, tokens, isPinned: true }, ready.source));
        });
        options.onDue();
      });
    },
    unpin: (name) => files.drop(name),
    get isDue() {
      return errands.length > 0;
    },
    runErrands(pool) {
      for (const errand of errands.splice(0)) errand(pool);
    },
    recordPrefill: (tokens, elapsedMs) => pace.recordPrefill(tokens, elapsedMs),
    stats: () => ({
      storedPrefixes: files.count,
      storedBytes: files.usedBytes,
      restoredTokensTotal: reader.restoredTokens(),
    }),
  };
}

/** Starts with a copy, which costs nothing: cells are shared. */
function save(
  { context, files, pace }: PrefixSpillOptions,
  { name, tokens, isPinned }: Pick<NewPrefix, 'name' | 'tokens' | 'isPinned'>,
  source: CachedSequence,
): Promise<boolean> {
  context.copySequence(source.sequence, transferSequence, tokens.length);
  try {
    return files.write({
      name,
      tenant: source.tenant,
      tokens,
      isPinned,
      // Beside the state the file has three numbers and the tokens.
      sizeBytes: context.stateBytes(transferSequence) + 12 + tokens.byteLength,
      save: (path) => {
        const startedAt = performance.now();
        const sizeBytes = context.saveSequence(transferSequence, path, tokens);
        pace.recordSave(tokens.length, performance.now() - startedAt);
        return sizeBytes;
      },
    });
  } finally {
    context.truncateSequence(transferSequence, 0);
  }
}

/** From the disk into the KV cache: read and checked beside the decodes, loaded between two of them. */
function createReader(options: PrefixSpillOptions) {
  const { context, files, pace } = options;
  const reading = new Map<string, Restore>();
  let restoredTokens = 0;
  return {
    restoredTokens: () => restoredTokens,
    seek(tenant: string, prompt: Int32Array, readyTokens: number): Restore | undefined {
      const found = files.find(tenant, prompt);
      if (found === undefined) return undefined;
      const { file, length } = found;
      // The last token is computed in any case.
      const gainedTokens = Math.min(length, prompt.length - 1) - readyTokens;
      if (!pace.isWorthLoading(file.tokens.length, gainedTokens)) return undefined;
      const underway = reading.get(file.name);
      if (underway !== undefined) return underway;
      const restore: Restore = { file, isIntact: undefined, startedAt: performance.now() };
      reading.set(file.name, restore);
      void files.isIntact(file).then((isIntact) => {
        reading.delete(file.name);
        restore.isIntact = isIntact;
        options.onDue();
      });
      return restore;
    },
    load({ file, isIntact, startedAt }: Restore, pool: KvPool): void {
      if (isIntact !== true) {
        lose(options, file);
        return;
      }
      files.touch(file.name);
      // Another prompt that waited for the same file has loaded it already.
      const ready = pool.cache.find(file.tenant, file.tokens).ready;
      if (ready !== undefined && ready.length === file.tokens.length) return;
      const isLoaded = pool.restore(file.tenant, file.tokens, (sequence) => {
        const isRead = context.loadSequence(transferSequence, file.path, file.tokens.length);
        if (isRead) context.copySequence(transferSequence, sequence, file.tokens.length);
        context.truncateSequence(transferSequence, 0);
        return isRead;
      });
      if (isLoaded === 'failed') lose(options, file);
      if (isLoaded !== 'loaded') return;
      restoredTokens += file.tokens.length;
      pace.recordLoad(file.tokens.length, performance.now() - startedAt);
    },
  };
}

function lose({ files, onLost }: PrefixSpillOptions, file: FoundPrefix): void {
  files.drop(file.name);
  if (file.isPinned) onLost(file.name);
}

function spillName(tenant: string, tokens: Int32Array): string {
  const bytes = new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength);
  return `spill-${createHash('sha256').update(`${tenant}\n`).update(bytes).digest('hex').slice(0, 32)}`;
}
