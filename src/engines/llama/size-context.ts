/** How large the KV cache may be on this machine. Pure arithmetic. */
import type { GgufHeader } from './gguf-header.ts';
import type { LoadOptions } from './protocol.ts';

export interface ContextSize {
  /** Cells of the shared KV cache. */
  readonly kvCells: number;
  /** Longest prompt + output of one sequence. */
  readonly contextTokens: number;
  readonly kvBytes: number;
  /** Of the cache that deterministic requests have to themselves, made when the first one comes. */
  readonly laneBytes: number;
}

/** Share of the free memory that the KV cache may take; the rest is for compute buffers and everybody else. */
const memoryShare = 0.6;
/** llama.cpp pads the cache to this many cells. */
const cellStep = 256;
const bytesPerValue = { f16: 2, q8_0: 34 / 32 } as const;

export type SizedOptions = Pick<LoadOptions, 'kvCells' | 'contextTokensMax' | 'kvType'>;

/** Bytes of one token in a cache of this number format. */
export function cellBytesOf(header: GgufHeader, kvType: LoadOptions['kvType']): number {
  return header.layerCount * header.kvValuesPerLayer * bytesPerValue[kvType];
}

/**
 * Lowers what was asked for to what the model was trained for and what memory allows, the deterministic lane's
 * window included.
 * @param availableBytes memory that can be used before the model is loaded
 * @throws Error that says what to do when not even the smallest cache fits.
 */
export function sizeContext(options: SizedOptions, header: GgufHeader, availableBytes: number): ContextSize {
  const cellBytes = cellBytesOf(header, options.kvType);
  const laneCellBytes = cellBytesOf(header, 'f16');
  const freeBytes = Math.max(0, availableBytes - header.fileSizeBytes) * memoryShare;
  const trained = header.trainedContextTokens > 0 ? header.trainedContextTokens : options.contextTokensMax;
  const windowMax = Math.min(options.contextTokensMax, trained);
  // A cache smaller than the window is the window, so both caches shrink together.
  const together = freeBytes / (cellBytes + laneCellBytes);
  const affordableCells =
    together < windowMax ? together : (freeBytes - windowMax * laneCellBytes) / cellBytes;
  const wantedCells = cellBytes > 0 ? Math.min(options.kvCells, affordableCells) : options.kvCells;
  const kvCells = Math.floor(wantedCells / cellStep) * cellStep;
  if (kvCells < cellStep) {
    const needBytes = header.fileSizeBytes + (cellStep * (cellBytes + laneCellBytes)) / memoryShare;
    throw new Error(
      `Not enough memory for ${header.name}: it needs at least ${toMiB(needBytes)} MiB, ${toMiB(availableBytes)} MiB are free. Choose a smaller model or free memory.`,
    );
  }
  const contextTokens = Math.min(windowMax, kvCells);
  return {
    kvCells,
    contextTokens,
    kvBytes: kvCells * cellBytes,
    laneBytes: contextTokens * laneCellBytes,
  };
}

function toMiB(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
