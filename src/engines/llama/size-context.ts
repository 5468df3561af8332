/** How large the KV cache may be on this machine. Pure arithmetic. */
import type { GgufHeader } from './gguf-header.ts';
import type { LoadOptions } from './protocol.ts';

export interface ContextSize {
  /** Cells of the shared KV cache. */
  readonly kvCells: number;
  /** Longest prompt + output of one sequence. */
  readonly contextTokens: number;
  readonly kvBytes: number;
}

/** Share of the free memory that the KV cache may take; the rest is for compute buffers and everybody else. */
const memoryShare = 0.6;
/** llama.cpp pads the cache to this many cells. */
const cellStep = 256;
const bytesPerValue = { f16: 2, q8_0: 34 / 32 } as const;

/**
 * Lowers what was asked for to what the model was trained for and what memory allows.
 * @param availableBytes memory that can be used before the model is loaded
 * @throws Error that says what to do when not even the smallest cache fits.
 */
export function sizeContext(options: LoadOptions, header: GgufHeader, availableBytes: number): ContextSize {
  const cellBytes = header.layerCount * header.kvValuesPerLayer * bytesPerValue[options.kvType];
  const freeBytes = Math.max(0, availableBytes - header.fileSizeBytes) * memoryShare;
  const affordableCells = cellBytes > 0 ? Math.floor(freeBytes / cellBytes) : options.kvCells;
  const kvCells = Math.floor(Math.min(options.kvCells, affordableCells) / cellStep) * cellStep;
  if (kvCells < cellStep) {
    const needBytes = header.fileSizeBytes + (cellStep * cellBytes) / memoryShare;
    throw new Error(
      `Not enough memory for ${header.name}: it needs at least ${toMiB(needBytes)} MiB, ${toMiB(availableBytes)} MiB are free. Choose a smaller model or free memory.`,
    );
  }
  const trained = header.trainedContextTokens > 0 ? header.trainedContextTokens : options.contextTokensMax;
  const contextTokens = Math.min(options.contextTokensMax, trained, kvCells);
  return { kvCells, contextTokens, kvBytes: kvCells * cellBytes };
}

function toMiB(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
