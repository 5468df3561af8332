/**
 * Reads the header of a GGUF file in TypeScript, before native code touches the file: libllama aborts the process
 * on some damaged files, and the facts here are needed for sizing the KV cache. Format: ggml/docs/gguf.md.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';

export type GgufValue = string | number | boolean | readonly GgufValue[];

export interface GgufHeader {
  readonly architecture: string;
  readonly name: string;
  readonly fileSizeBytes: number;
  readonly trainedContextTokens: number;
  readonly layerCount: number;
  /** Numbers per cell and layer in the K and V caches together. */
  readonly kvValuesPerLayer: number;
  readonly chatTemplate: string | undefined;
}

/** The file cannot be a usable model; the text says why and what to do. */
export class GgufError extends Error {
  constructor(file: string, problem: string, options?: ErrorOptions) {
    // Callers of the API can read it: the folder is nobody's business.
    super(
      `${path.basename(file)} ${problem}. Download the model again (\`perigee models pull\`) or choose another file.`,
      options,
    );
    this.name = 'GgufError';
  }
}

/** Longest array that is kept; vocabularies (hundreds of thousands of entries) are skipped. */
const arrayLengthKept = 1024;
const chunkBytes = 1 << 20;
/** `GGUF_TYPE_STRING` */
const stringType = 8;

/** Elements and bytes per block of each tensor type (`ggml_type` → ggml.c's type traits). */
const blockSizes: Readonly<Record<number, readonly [elements: number, bytes: number]>> = {
  0: [1, 4],
  1: [1, 2],
  2: [32, 18],
  3: [32, 20],
  6: [32, 22],
  7: [32, 24],
  8: [32, 34],
  10: [256, 84],
  11: [256, 110],
  12: [256, 144],
  13: [256, 176],
  14: [256, 210],
  20: [32, 18],
  23: [256, 136],
  24: [1, 1],
  25: [1, 2],
  26: [1, 4],
  27: [1, 8],
  28: [1, 8],
  30: [1, 2],
  39: [32, 17],
};

/** @throws GgufError when the file is missing, no GGUF, or shorter than its own tensor table says. */
export function readGgufHeader(path: string): GgufHeader {
  const file = openModel(path);
  try {
    const fileSizeBytes = fstatSync(file).size;
    const reader = new HeaderReader(path, file, fileSizeBytes);
    const { metadata, dataEndBytes } = reader.readAll();
    if (dataEndBytes > fileSizeBytes) {
      throw new GgufError(
        path,
        `is cut short: it has ${fileSizeBytes} bytes of at least ${dataEndBytes} that its header announces`,
      );
    }
    return describe(metadata, fileSizeBytes, path);
  } finally {
    closeSync(file);
  }
}

function openModel(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    throw new GgufError(path, 'cannot be opened', { cause });
  }
}

function describe(metadata: Map<string, GgufValue>, fileSizeBytes: number, path: string): GgufHeader {
  const text = (key: string) => {
    const value = metadata.get(key);
    return typeof value === 'string' ? value : undefined;
  };
  const architecture = text('general.architecture');
  if (architecture === undefined) {
    throw new GgufError(path, 'names no architecture in its header');
  }
  /** Per-layer values (arrays) count with their largest entry: an upper bound is what sizing needs. */
  const number = (key: string) => {
    const value = metadata.get(`${architecture}.${key}`);
    if (typeof value === 'number') return value;
    if (!Array.isArray(value)) return undefined;
    return Math.max(0, ...value.filter((item) => typeof item === 'number'));
  };
  const heads = number('attention.head_count') ?? 1;
  const headsKv = number('attention.head_count_kv') ?? heads;
  const headSize = Math.ceil((number('embedding_length') ?? 0) / Math.max(1, heads));
  const keySize = number('attention.key_length') ?? headSize;
  const valueSize = number('attention.value_length') ?? headSize;
  return {
    architecture,
    name: text('general.name') ?? architecture,
    fileSizeBytes,
    trainedContextTokens: number('context_length') ?? 0,
    layerCount: number('block_count') ?? 0,
    kvValuesPerLayer: headsKv * (keySize + valueSize),
    chatTemplate: text('tokenizer.chat_template'),
  };
}

class HeaderReader {
  readonly #path: string;
  readonly #file: number;
  readonly #fileSizeBytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  #bufferStart = 0;
  #position = 0;

  constructor(path: string, file: number, fileSizeBytes: number) {
    this.#path = path;
    this.#file = file;
    this.#fileSizeBytes = fileSizeBytes;
  }

  readAll(): { metadata: Map<string, GgufValue>; dataEndBytes: number } {
    if (this.#fileSizeBytes < 24 || this.#take(4).toString('latin1') !== 'GGUF') {
      throw new GgufError(this.#path, 'is not a GGUF file');
    }
    const version = this.#take(4).readUInt32LE();
    if (version < 2 || version > 3) {
      throw new GgufError(this.#path, `has GGUF version ${version}; versions 2 and 3 can be read`);
    }
    const tensorCount = this.#length();
    const pairCount = this.#length();
    const metadata = new Map<string, GgufValue>();
    for (let i = 0; i < pairCount; i++) {
      const key = this.#string();
      metadata.set(key, this.#value(this.#take(4).readUInt32LE()));
    }
    return { metadata, dataEndBytes: this.#readTensorTable(tensorCount, metadata) };
  }

  #readTensorTable(tensorCount: number, metadata: Map<string, GgufValue>): number {
    let tensorEnd = 0;
    for (let i = 0; i < tensorCount; i++) {
      this.#string();
      let elements = 1;
      const dimensions = this.#take(4).readUInt32LE();
      for (let d = 0; d < dimensions; d++) elements *= this.#length();
      const block = blockSizes[this.#take(4).readUInt32LE()];
      const offset = this.#length();
      // A type that is not in the table is still known to start inside the file.
      const sizeBytes = block === undefined ? 0 : Math.ceil(elements / block[0]) * block[1];
      tensorEnd = Math.max(tensorEnd, offset + sizeBytes);
    }
    const alignment = metadata.get('general.alignment');
    const step = typeof alignment === 'number' && alignment > 0 ? alignment : 32;
    return Math.ceil(this.#position / step) * step + tensorEnd;
  }

  #value(type: number): GgufValue {
    switch (type) {
      case 0:
        return this.#take(1).readUInt8();
      case 1:
        return this.#take(1).readInt8();
      case 2:
        return this.#take(2).readUInt16LE();
      case 3:
        return this.#take(2).readInt16LE();
      case 4:
        return this.#take(4).readUInt32LE();
      case 5:
        return this.#take(4).readInt32LE();
      case 6:
        return this.#take(4).readFloatLE();
      case 7:
        return this.#take(1).readUInt8() !== 0;
      case stringType:
        return this.#string();
      case 9:
        return this.#array();
      case 10:
        return Number(this.#take(8).readBigUInt64LE());
      case 11:
        return Number(this.#take(8).readBigInt64LE());
      case 12:
        return this.#take(8).readDoubleLE();
      default:
        throw new GgufError(this.#path, `is damaged: it has a value of unknown type ${type}`);
    }
  }

  #array(): GgufValue {
    const type = this.#take(4).readUInt32LE();
    const length = this.#length();
    const kept: GgufValue[] = [];
    for (let i = 0; i < length; i++) {
      // Vocabularies have hundreds of thousands of texts: those are stepped over, not decoded.
      if (i >= arrayLengthKept && type === stringType) this.#take(this.#length());
      else if (i >= arrayLengthKept) this.#value(type);
      else kept.push(this.#value(type));
    }
    return kept;
  }

  #string(): string {
    return this.#take(this.#length()).toString('utf8');
  }

  /** A count or length; nothing in the file can be longer than the file. */
  #length(): number {
    const value = Number(this.#take(8).readBigUInt64LE());
    if (value > this.#fileSizeBytes) {
      throw new GgufError(this.#path, 'is cut short or damaged: a length in its header exceeds the file');
    }
    return value;
  }

  #take(bytes: number): Buffer {
    let start = this.#position - this.#bufferStart;
    if (start + bytes > this.#buffer.length) {
      const next = Buffer.allocUnsafe(Math.max(chunkBytes, bytes));
      const read = readSync(this.#file, next, 0, next.length, this.#position);
      this.#buffer = next.subarray(0, read);
      this.#bufferStart = this.#position;
      start = 0;
      if (read < bytes) {
        throw new GgufError(this.#path, 'is cut short: it ends inside its header');
      }
    }
    this.#position += bytes;
    return this.#buffer.subarray(start, start + bytes);
  }
}
