import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commonPrefix, createPrefixCache } from './prefix-cache.ts';

const tokens = (length: number, seed = 0) => Int32Array.from({ length }, (_, i) => i + seed * 100_000);
const branch = (shared: number, length: number, seed: number) =>
  Int32Array.from({ length }, (_, i) => (i < shared ? i : i + seed * 100_000));

describe('prefix cache', () => {
  it('finds the longest computed beginning, down to single tokens', () => {
    const cache = createPrefixCache();
    const short = cache.add('a', 1, branch(100, 200, 1));
    const long = cache.add('a', 2, branch(150, 200, 2));
    short.computedTokens = 200;
    long.computedTokens = 200;
    expect(cache.find('a', branch(180, 300, 3)).ready).toEqual({ source: long, length: 150 });
    expect(cache.find('a', branch(40, 300, 3)).ready?.length).toBe(40);
  });

  it('never shares between tenants', () => {
    const cache = createPrefixCache();
    cache.add('a', 1, tokens(200)).computedTokens = 200;
    expect(cache.find('b', tokens(200))).toEqual({ ready: undefined, pending: undefined });
  });

  it('reports only what is computed, and names the running sequence that computes more', () => {
    const cache = createPrefixCache();
    const entry = cache.add('a', 1, tokens(640));
    entry.computedTokens = 128;
    const found = cache.find('a', tokens(700));
    expect(found.ready).toEqual({ source: entry, length: 128 });
    expect(found.pending).toEqual({ source: entry, length: 640 });
    entry.isRunning = false;
    expect(cache.find('a', tokens(700)).pending).toBeUndefined();
  });

  it('does not make a request wait for less than a block', () => {
    const cache = createPrefixCache();
    cache.add('a', 1, tokens(60));
    expect(cache.find('a', tokens(60)).pending).toBeUndefined();
  });

  it('forgets removed entries and evicts the one used longest ago', () => {
    const cache = createPrefixCache();
    const first = cache.add('a', 1, tokens(128));
    const second = cache.add('a', 2, tokens(128, 1));
    expect(cache.oldestIdle()).toBeUndefined();
    first.isRunning = false;
    second.isRunning = false;
    cache.touch(first);
    expect(cache.oldestIdle()).toBe(second);
    cache.remove(second);
    second.computedTokens = 128;
    expect(cache.find('a', tokens(128, 1)).ready).toBeUndefined();
    expect(cache.size).toBe(1);
  });

  it('finds the same as a comparison with every entry', () => {
    const content = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 6 });
    // Each drawn number stands for 48 tokens, so that branches fall inside and between blocks.
    const expand = (numbers: number[]) => Int32Array.from(numbers.flatMap((n) => new Array(48).fill(n)));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(content, fc.nat(300), fc.boolean()), { maxLength: 12 }),
        content,
        (drawn, asked) => {
          const cache = createPrefixCache();
          const entries = drawn.map(([numbers, computed, isRemoved], i) => {
            const entry = cache.add('a', i, expand(numbers));
            entry.computedTokens = Math.min(computed, entry.tokens.length);
            if (isRemoved) cache.remove(entry);
            return { entry, isRemoved };
          });
          const prompt = expand(asked);
          const lengths = entries
            .filter(({ isRemoved }) => !isRemoved)
            .map(({ entry }) => Math.min(entry.computedTokens, commonPrefix(entry.tokens, prompt)));
          expect(cache.find('a', prompt).ready?.length ?? 0).toBe(Math.max(0, ...lengths));
        },
      ),
    );
  });
});
