/**
 * Counts the cells of a unified KV cache. Sequences that were copied share cells, and llama.cpp does not tell how
 * many are in use, so every change of a sequence is written down here. Pure arithmetic.
 */

/** A run of cells; all holders have it at the same place. */
interface Segment {
  length: number;
  readonly holders: Set<number>;
}

export interface CellLedger {
  readonly usedCells: number;
  /** Tokens of a sequence. */
  lengthOf(sequence: number): number;
  append(sequence: number, count: number): void;
  /** `target`, which must be empty, gets the first `length` cells of `source`. */
  share(source: number, target: number, length: number): void;
  /** Forgets what a sequence holds from `length` on. */
  truncate(sequence: number, length: number): void;
  /** Cells whose holders all satisfy `isIdle`. */
  countHeldOnlyBy(isIdle: (sequence: number) => boolean): number;
}

export function createCellLedger(): CellLedger {
  const segmentsBySequence = new Map<number, Segment[]>();
  let used = 0;

  const segmentsOf = (sequence: number): Segment[] => segmentsBySequence.get(sequence) ?? [];
  const lengthOf = (sequence: number) =>
    segmentsOf(sequence).reduce((sum, segment) => sum + segment.length, 0);

  /** Makes `length` a border between segments, for every holder of the segment that is cut. */
  const cutAt = (sequence: number, length: number): number => {
    let start = 0;
    for (const [index, segment] of segmentsOf(sequence).entries()) {
      if (start === length) return index;
      if (start + segment.length > length) {
        const head: Segment = { length: length - start, holders: new Set(segment.holders) };
        segment.length -= head.length;
        for (const holder of segment.holders) {
          const list = segmentsOf(holder);
          list.splice(list.indexOf(segment), 0, head);
        }
        return index + 1;
      }
      start += segment.length;
    }
    return segmentsOf(sequence).length;
  };

  return {
    get usedCells() {
      return used;
    },
    lengthOf,
    append(sequence, count) {
      if (count === 0) return;
      used += count;
      const segments = segmentsOf(sequence);
      const last = segments.at(-1);
      if (last !== undefined && last.holders.size === 1) last.length += count;
      else segments.push({ length: count, holders: new Set([sequence]) });
      segmentsBySequence.set(sequence, segments);
    },
    share(source, target, length) {
      if (lengthOf(target) !== 0) throw new Error(`sequence ${target} is not empty`);
      const shared = segmentsOf(source).slice(0, cutAt(source, length));
      for (const segment of shared) segment.holders.add(target);
      segmentsBySequence.set(target, shared);
    },
    truncate(sequence, length) {
      const removed = segmentsOf(sequence).splice(cutAt(sequence, length));
      for (const segment of removed) {
        segment.holders.delete(sequence);
        if (segment.holders.size === 0) used -= segment.length;
      }
      if (length === 0) segmentsBySequence.delete(sequence);
    },
    countHeldOnlyBy(isIdle) {
      const seen = new Set<Segment>();
      let cells = 0;
      for (const segments of segmentsBySequence.values()) {
        for (const segment of segments) {
          if (seen.has(segment)) continue;
          seen.add(segment);
          if ([...segment.holders].every(isIdle)) cells += segment.length;
        }
      }
      return cells;
    },
  };
}
