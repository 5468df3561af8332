import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { GgufError, readGgufHeader } from './gguf-header.ts';

const folder = mkdtempSync(join(tmpdir(), 'gguf-'));
afterAll(() => rmSync(folder, { recursive: true }));

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
const pair = (key: string, type: number, value: Buffer) => Buffer.concat([text(key), u32(type), value]);

function composeFile(options: { tensorBytes: number; dataBytes: number }): Buffer {
  const pairs = [
    pair('general.architecture', 8, text('llama')),
    pair('general.name', 8, text('Tiny Ünicode')),
    pair('llama.context_length', 4, u32(2048)),
    pair('llama.block_count', 4, u32(2)),
    pair('llama.embedding_length', 4, u32(64)),
    pair('llama.attention.head_count', 4, u32(4)),
    pair('llama.attention.head_count_kv', 9, Buffer.concat([u32(4), u64(2), u32(2), u32(1)])),
    pair('tokenizer.ggml.tokens', 9, Buffer.concat([u32(8), u64(2000), ...new Array(2000).fill(text('x'))])),
    pair('tokenizer.chat_template', 8, text('{{ messages }}')),
  ];
  const tensor = Buffer.concat([text('w'), u32(1), u64(options.tensorBytes / 4), u32(0), u64(0)]);
  const head = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(1), u64(pairs.length), ...pairs, tensor]);
  const padding = Buffer.alloc((32 - (head.length % 32)) % 32);
  return Buffer.concat([head, padding, Buffer.alloc(options.dataBytes)]);
}

function writeFile(name: string, bytes: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe('readGgufHeader', () => {
  const whole = composeFile({ tensorBytes: 4096, dataBytes: 4096 });

  it('reads what sizing and prompting need', () => {
    expect(readGgufHeader(writeFile('whole.gguf', whole))).toEqual({
      architecture: 'llama',
      name: 'Tiny Ünicode',
      fileSizeBytes: whole.length,
      trainedContextTokens: 2048,
      layerCount: 2,
      kvValuesPerLayer: 64,
      chatTemplate: '{{ messages }}',
    });
  });

  it('refuses a file whose weights are cut short by one byte', () => {
    const path = writeFile('cut.gguf', whole.subarray(0, whole.length - 1));
    expect(() => readGgufHeader(path)).toThrow(/is cut short/);
  });

  it('refuses a file that ends anywhere inside its header with a GgufError', () => {
    for (let length = 0; length < whole.length - 4096; length += 997) {
      const path = writeFile('header.gguf', whole.subarray(0, length));
      expect(() => readGgufHeader(path)).toThrow(GgufError);
    }
  });

  it('refuses other files and missing ones, and says what to do', () => {
    const page = writeFile('page.gguf', Buffer.from('<!doctype html><title>404</title> not found'));
    expect(() => readGgufHeader(page)).toThrow(/is not a GGUF file.*perigee models pull/);
    expect(() => readGgufHeader(join(folder, 'none.gguf'))).toThrow(/cannot be opened/);
  });
});
