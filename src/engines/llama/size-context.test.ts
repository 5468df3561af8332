import { describe, expect, it } from 'vitest';
import { sizeContext } from './size-context.ts';

const MiB = 2 ** 20;
const header = {
  architecture: 'llama',
  name: 'Tiny',
  fileSizeBytes: 100 * MiB,
  trainedContextTokens: 8192,
  layerCount: 32,
  kvValuesPerLayer: 512,
  chatTemplate: undefined,
};
const options = {
  modelPath: 'tiny.gguf',
  kvCells: 32_768,
  contextTokensMax: 32_768,
  threads: 1,
  kvType: 'f16' as const,
  prefixCacheCells: 1000,
};

describe('sizeContext', () => {
  it('grants what was asked for when memory allows, and no window beyond the training', () => {
    const size = sizeContext(options, header, 100_000 * MiB);
    expect(size).toEqual({
      kvCells: 32_768,
      contextTokens: 8192,
      kvBytes: 1024 * MiB,
      laneBytes: 256 * MiB,
    });
  });

  it('lowers the cache, and with it the window, to what memory allows', () => {
    const size = sizeContext(options, header, 200 * MiB);
    expect(size.kvBytes).toBeLessThanOrEqual(60 * MiB);
    expect(size.kvCells % 256).toBe(0);
    expect(size.contextTokens).toBe(size.kvCells);
  });

  it('leaves room for the cache that deterministic requests have to themselves', () => {
    for (const availableBytes of [200 * MiB, 700 * MiB, 1_500 * MiB]) {
      const size = sizeContext(options, header, availableBytes);
      expect(size.kvBytes + size.laneBytes).toBeLessThanOrEqual(
        0.6 * (availableBytes - header.fileSizeBytes),
      );
      expect(size.kvBytes + size.laneBytes).toBeGreaterThan(0.45 * (availableBytes - header.fileSizeBytes));
    }
  });

  it('fits about twice as much with 8-bit cells beside that one', () => {
    const short = { ...options, contextTokensMax: 256 };
    const wide = sizeContext(short, header, 400 * MiB).kvCells;
    const narrow = sizeContext({ ...short, kvType: 'q8_0' }, header, 400 * MiB).kvCells;
    expect(narrow / wide).toBeGreaterThan(1.8);
  });

  it('grants a window of 262,144 tokens to a model that was trained for it', () => {
    const long = { ...options, kvCells: 262_144, contextTokensMax: 262_144 };
    const size = sizeContext(long, { ...header, trainedContextTokens: 262_144 }, 100_000 * MiB);
    expect(size.contextTokens).toBe(262_144);
  });

  it('refuses with advice when not even the smallest cache fits', () => {
    expect(() => sizeContext(options, header, 101 * MiB)).toThrow(
      /Not enough memory for Tiny.*smaller model/,
    );
  });
});
