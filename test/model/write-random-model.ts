/**
 * A model of random weights that was "trained" for a window of any length: one small layer, with the vocabulary and the
 * template of the shared model. It writes nonsense, but computes, keeps and reads back prompts like any other, in a few
 * microseconds per token.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const embedding = 64;
const heads = 2;
const headSize = embedding / heads;

const types = { u32: 4, f32: 6, string: 8, array: 9 } as const;
/** Bytes of the types of fixed size, by their number in GGUF. */
const fixedBytes: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};
/** Weights are 32-bit floats; alignment as llama.cpp assumes where nothing is said. */
const alignment = 32;

/** @param path where to write @param vocabularyPath a GGUF file whose tokenizer is taken over */
export function writeRandomModel(path: string, vocabularyPath: string, contextTokens: number): void {
  const { tokenizer, tokenCount } = readTokenizer(readFileSync(vocabularyPath));
  const pairs = [
    ...tokenizer,
    pair('general.architecture', types.string, encodeText('llama')),
    pair('general.name', types.string, encodeText('Random weights')),
    ...Object.entries({
      context_length: contextTokens,
      embedding_length: embedding,
      block_count: 1,
      feed_forward_length: embedding,
      vocab_size: tokenCount,
      'rope.dimension_count': headSize,
      'attention.head_count': heads,
      'attention.head_count_kv': 1,
    }).map(([key, value]) => pair(`llama.${key}`, types.u32, encodeU32(value))),
    pair('llama.attention.layer_norm_rms_epsilon', types.f32, encodeF32([1e-5])),
    pair('llama.rope.freq_base', types.f32, encodeF32([1e7])),
  ];
  const tensors = [
    ['token_embd.weight', embedding, tokenCount],
    ['output_norm.weight', embedding],
    ['blk.0.attn_norm.weight', embedding],
    ['blk.0.attn_q.weight', embedding, embedding],
    ['blk.0.attn_k.weight', embedding, headSize],
    ['blk.0.attn_v.weight', embedding, headSize],
    ['blk.0.attn_output.weight', embedding, embedding],
    ['blk.0.ffn_norm.weight', embedding],
    ['blk.0.ffn_gate.weight', embedding, embedding],
    ['blk.0.ffn_up.weight', embedding, embedding],
    ['blk.0.ffn_down.weight', embedding, embedding],
  ] as const;
  const infos: Buffer[] = [];
  const weights: Buffer[] = [];
  let offset = 0;
  for (const [name, ...shape] of tensors) {
    const data = pad(encodeF32(drawWeights(shape.reduce((product, size) => product * size, 1))));
    infos.push(
      encodeText(name),
      encodeU32(shape.length),
      ...shape.map(encodeU64),
      encodeU32(0), // 32-bit floats.
      encodeU64(offset),
    );
    weights.push(data);
    offset += data.length;
  }
  const header = [Buffer.from('GGUF'), encodeU32(3), encodeU64(tensors.length), encodeU64(pairs.length)];
  writeFileSync(path, Buffer.concat([pad(Buffer.concat([...header, ...pairs, ...infos])), ...weights]));
}

/** The pairs of another file that describe its tokenizer, as they are. */
function readTokenizer(file: Buffer): { readonly tokenizer: readonly Buffer[]; readonly tokenCount: number } {
  let at = 24;
  let tokenCount = 0;
  const tokenizer: Buffer[] = [];
  const readLength = (): number => {
    at += 8;
    return Number(file.readBigUInt64LE(at - 8));
  };
  const readU32 = (): number => {
    at += 4;
    return file.readUInt32LE(at - 4);
  };
  const skip = (type: number): void => {
    if (type === types.string) {
      const length = readLength();
      at += length;
    } else if (type === types.array) {
      const itemType = readU32();
      const count = readLength();
      for (let item = 0; item < count; item++) skip(itemType);
    } else {
      at += fixedBytes[type] ?? 0;
    }
  };
  const pairCount = Number(file.readBigUInt64LE(16));
  for (let index = 0; index < pairCount; index++) {
    const start = at;
    const length = readLength();
    const key = file.toString('utf8', at, at + length);
    at += length;
    const type = readU32();
    if (key === 'tokenizer.ggml.tokens') tokenCount = Number(file.readBigUInt64LE(at + 4));
    skip(type);
    if (key.startsWith('tokenizer.')) tokenizer.push(file.subarray(start, at));
  }
  return { tokenizer, tokenCount };
}

/** Small and the same in every run. */
function drawWeights(count: number): Float32Array {
  let state = count;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 32 - 0.5) / 4;
  });
}

const pair = (key: string, type: number, value: Buffer): Buffer =>
  Buffer.concat([encodeText(key), encodeU32(type), value]);

const encodeF32 = (values: readonly number[] | Float32Array): Buffer => {
  const floats = Float32Array.from(values);
  return Buffer.from(floats.buffer);
};

function encodeU32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function encodeU64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([encodeU64(bytes.length), bytes]);
}

const pad = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((alignment - (bytes.length % alignment)) % alignment)]);
