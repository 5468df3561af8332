/**
 * The cells and sequence ids of the shared KV cache: who holds what, what is promised to running generations, what
 * may be evicted. All KV operations of the scheduler go through here, between decodes only.
 */
import { type CellLedger, createCellLedger } from './cell-ledger.ts';
import type { NativeContext } from './native-context.ts';
import {
  blockTokens,
  type CachedSequence,
  commonPrefix,
  createPrefixCache,
  type PrefixCache,
} from './prefix-cache.ts';

export interface KvPoolOptions {
  readonly context: NativeContext;
  /** Sequence ids; the first is left to `prefix-spill.ts`. */
  readonly sequencesMax: number;
  /** Cells that idle sequences may keep. */
  readonly prefixCacheCells: number;
  /** Where evicted sequences go; absent = they are forgotten. */
  readonly spill?: EvictedSequences | undefined;
}

/** What is done with idle sequences that leave. */
export interface EvictedSequences {
  /** Saves one that is about to be evicted, when that is worth it. */
  keep(entry: CachedSequence): void;
  /** Whether one of so many tokens is saved, by what can be known beforehand. */
  isKept(tokens: number): boolean;
  /** How many tokens `keep` would write for these of one tenant, one after another. */
  tokensToWrite(entries: readonly CachedSequence[]): number;
}

/**
 * How many tokens of others an idle sequence stays for. By what was measured it has then cost about as much as writing
 * it to disk and reading it back does, or as computing it anew: 0.8 µs per cell and token, 30 to 60 µs, and some
 * milliseconds per cell (record 0022).
 */
const restTokensMax = { saved: 64, lost: 4_096 };
/** Saving takes time that streams wait for; one sequence may leave in any case. */
const evictionMsMax = 30;
/** Tokens computed or due between two looks for such sequences. */
const lookTokens = 32;

export interface FinishedSequence {
  readonly tenant: string;
  readonly sequence: number;
  readonly tokens: Int32Array;
  /** It is about to be saved, so tokens that are only due do not count against it. */
  readonly willBePinned?: boolean | undefined;
}

export interface KvPool {
  readonly cells: number;
  readonly usedCells: number;
  readonly cache: PrefixCache;
  /** Cells promised to running generations and not yet used. */
  readonly reservedCells: number;
  /**
   * Promises `cells` more, evicting idle sequences as needed. False = not now; then nothing was promised.
   */
  reserve(cells: number): boolean;
  /** Gives back what was promised and not used. */
  release(cells: number): void;
  /** A fresh, empty sequence. There are more ids than running sequences, so an idle one can always give way. */
  takeSequence(): number;
  /** Shares the first `length` cells of `source` with the empty sequence `target`. */
  copy(source: number, target: number, length: number): void;
  /** Counts cells that a decode just filled; they come out of the reservation. */
  append(sequence: number, count: number): void;
  /** Forgets a sequence and frees its id. */
  drop(sequence: number): void;
  /** Keeps what a finished sequence computed for later requests. */
  retain(finished: FinishedSequence): void;
  /**
   * Brings an idle sequence back: `load` fills the empty sequence and says whether it could. `no-room`: it was not
   * asked to.
   */
  restore(
    tenant: string,
    tokens: Int32Array,
    load: (sequence: number) => boolean,
  ): 'loaded' | 'failed' | 'no-room';
  /** Evicts one idle sequence; false when there is none. */
  evictOldest(): boolean;
  /**
   * Evicts sequences that have been idle for so long that it is cheaper to move them away than to keep them: the
   * attention of every computed token goes over all cells in use, its own or not.
   * @param dueTokens tokens that are about to be computed: it would be idle during these as well
   */
  evictResting(dueTokens: number): void;
}

export function createKvPool(options: KvPoolOptions): KvPool {
  const { context, spill } = options;
  const ledger: CellLedger = createCellLedger();
  const cache = createPrefixCache();
  const freeSequences = Array.from(
    { length: options.sequencesMax - 1 },
    (_, i) => options.sequencesMax - 1 - i,
  );
  let reserved = 0;
  /** All tokens ever computed; for each idle sequence, as of when it became idle. */
  let computed = 0;
  const restingSince = new WeakMap<CachedSequence, number>();
  const awaited = new WeakSet<CachedSequence>();
  /** Computed tokens, and with the due ones, of the next look. */
  let nextLook = { computed: lookTokens, due: lookTokens };

  const drop = (sequence: number): void => {
    context.truncateSequence(sequence, 0);
    ledger.truncate(sequence, 0);
    freeSequences.push(sequence);
  };
  const evict = (entry: CachedSequence): void => {
    cache.remove(entry);
    drop(entry.sequence);
  };
  const evictOldest = (): boolean => {
    const oldest = cache.oldestIdle();
    if (oldest === undefined) return false;
    spill?.keep(oldest);
    evict(oldest);
    return true;
  };
  const cellsOfIdle = (): number => {
    const idle = new Set(Array.from(cache.idleEntries(), (entry) => entry.sequence));
    return ledger.countHeldOnlyBy((sequence) => idle.has(sequence));
  };
  /** Entries that the given one contains, or that contain it. */
  const findCovering = (tenant: string, tokens: Int32Array): CachedSequence | undefined => {
    const ready = cache.find(tenant, tokens).ready;
    return ready !== undefined && ready.length === tokens.length ? ready.source : undefined;
  };
  const dropCovered = (entry: CachedSequence): void => {
    for (const other of [...cache.idleEntries()]) {
      if (other === entry || other.tenant !== entry.tenant) continue;
      if (other.computedTokens > entry.computedTokens) continue;
      if (commonPrefix(other.tokens, entry.tokens) >= other.computedTokens) evict(other);
    }
  };

  const reserve = (cells: number): boolean => {
    // Without this look ahead a request that cannot fit yet would empty the cache for nothing.
    if (ledger.usedCells - cellsOfIdle() + reserved + cells > context.cells) return false;
    while (ledger.usedCells + reserved + cells > context.cells) {
      if (!evictOldest()) return false;
    }
    reserved += cells;
    return true;
  };
  const takeSequence = (): number => {
    if (freeSequences.length === 0) evictOldest();
    const sequence = freeSequences.pop();
    if (sequence === undefined) throw new Error('no free sequence id');
    return sequence;
  };
  const fill = (sequence: number, count: number): void => {
    ledger.append(sequence, count);
    reserved -= count;
  };
  const restedTokens = (entry: CachedSequence, dueTokens: number): number =>
    computed - (restingSince.get(entry) ?? computed) + (awaited.has(entry) ? 0 : dueTokens);
  const isSaved = (entry: CachedSequence): boolean => spill?.isKept(entry.computedTokens) === true;
  const restMax = (entry: CachedSequence): number =>
    isSaved(entry) ? restTokensMax.saved : restTokensMax.lost;
  const costOfLeaving = (entries: readonly CachedSequence[]): number => {
    const saved = entries.filter(isSaved);
    const lost = entries.filter((entry) => !isSaved(entry));
    const written = spill?.tokensToWrite(saved) ?? 0;
    const recomputed = lost.reduce((sum, { computedTokens }) => sum + computedTokens, 0);
    return restTokensMax.saved * written + restTokensMax.lost * recomputed;
  };
  /** Cells that others share stay where they are, but are moved with each sequence that leaves. */
  const shouldLeave = (entries: readonly CachedSequence[], dueTokens: number): boolean => {
    const leaving = new Set(entries.map(({ sequence }) => sequence));
    const freed = ledger.countHeldOnlyBy((sequence) => leaving.has(sequence));
    const rested = Math.min(...entries.map((entry) => restedTokens(entry, dueTokens)));
    return rested * freed >= costOfLeaving(entries);
  };
  /** Sequences that begin alike share cells, which are free when the last of them has left: they leave together. */
  const listLeaving = (dueTokens: number): CachedSequence[] => {
    const rested = [...cache.idleEntries()].filter(
      (entry) => restedTokens(entry, dueTokens) >= restMax(entry),
    );
    return [...Map.groupBy(rested, beginningOf).values()].flatMap((alike) =>
      shouldLeave(alike, dueTokens) ? alike : alike.filter((entry) => shouldLeave([entry], dueTokens)),
    );
  };
  const addIdle = ({ tenant, sequence, tokens, willBePinned }: FinishedSequence): void => {
    const entry = cache.add(tenant, sequence, tokens);
    entry.computedTokens = tokens.length;
    entry.isRunning = false;
    restingSince.set(entry, computed);
    if (willBePinned === true) awaited.add(entry);
    dropCovered(entry);
    while (cellsOfIdle() > options.prefixCacheCells) evictOldest();
  };

  return {
    cells: context.cells,
    cache,
    get usedCells() {
      return ledger.usedCells;
    },
    get reservedCells() {
      return reserved;
    },
    reserve,
    release(cells) {
      reserved -= cells;
    },
    takeSequence,
    copy(source, target, length) {
      context.copySequence(source, target, length);
      ledger.share(source, target, length);
    },
    append(sequence, count) {
      fill(sequence, count);
      computed += count;
    },
    drop,
    retain(finished) {
      const { tenant, sequence, tokens } = finished;
      // Of a sequence that is larger than the whole cache may be, the beginning is worth keeping.
      const kept = tokens.subarray(0, options.prefixCacheCells);
      if (kept.length === 0 || findCovering(tenant, kept) !== undefined) {
        drop(sequence);
        return;
      }
      if (kept.length < tokens.length) {
        context.truncateSequence(sequence, kept.length);
        ledger.truncate(sequence, kept.length);
      }
      addIdle({ ...finished, tokens: kept });
    },
    restore(tenant, tokens, load) {
      if (tokens.length > options.prefixCacheCells || !reserve(tokens.length)) return 'no-room';
      const sequence = takeSequence();
      if (!load(sequence)) {
        reserved -= tokens.length;
        drop(sequence);
        return 'failed';
      }
      fill(sequence, tokens.length);
      addIdle({ tenant, sequence, tokens });
      return 'loaded';
    },
    evictOldest,
    evictResting(dueTokens) {
      const due = computed + dueTokens;
      if (computed < nextLook.computed && due < nextLook.due) return;
      const startedAt = performance.now();
      for (const entry of listLeaving(dueTokens)) {
        // The others have to wait for the next call.
        if (performance.now() - startedAt >= evictionMsMax) return;
        spill?.keep(entry);
        evict(entry);
      }
      nextLook = { computed: computed + lookTokens, due: due + lookTokens };
    },
  };
}

/** The same for sequences that may share cells. */
function beginningOf({ tenant, tokens }: CachedSequence): string {
  const block = tokens.subarray(0, blockTokens);
  return `${tenant}\n${Buffer.from(block.buffer, block.byteOffset, block.byteLength).toString('latin1')}`;
}
