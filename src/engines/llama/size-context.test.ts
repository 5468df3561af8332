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
    expect(size).toEqual({ kvCells: 32_768, contextTokens: 8192, kvBytes: 1024 * MiB });
  });

  it('lowers the cache, and with it the window, to what memory allows', () => {
    const size = sizeContext(options, header, 200 * MiB);
    expect(size.kvBytes).toBeLessThanOrEqual(60 * MiB);
    expect(size.kvCells % 256).toBe(0);
    expect(size.contextTokens).toBe(size.kvCells);
  });

  it('fits about twice as much with 8-bit cells', () => {
    const wide = sizeContext(options, header, 400 * MiB).kvCells;
    const narrow = sizeContext({ ...options, kvType: 'q8_0' }, header, 400 * MiB).kvCells;
    expect(narrow / wide).toBeGreaterThan(1.8);
  });

  it('refuses with advice when not even the smallest cache fits', () => {
    expect(() => sizeContext(options, header, 101 * MiB)).toThrow(
      /Not enough memory for Tiny.*smaller model/,
    );
  });
});
