import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Usage } from '../chat/types.ts';
import { freePrices, type ModelPrices } from './price-book.ts';
import {
  affordableStorageSeconds,
  costOfCacheCreation,
  costOfCacheStorage,
  costOfTurn,
  worstCostOfTurn,
} from './turn-cost.ts';

/** The defaults of `moonshot/kimi-k2-turbo-preview`. */
const defaults: ModelPrices = {
  ...freePrices,
  inputNanoUsd: 1_150_000_000n,
  cachedInputNanoUsd: 150_000_000n,
  outputNanoUsd: 8_000_000_000n,
  webSearchNanoUsd: 4_000_000n,
  cacheHitNanoUsd: 20_000n,
  cacheCreationNanoUsd: 1_150_000_000n,
  cacheStorageNanoUsd: 10_000_000n,
};

const price = fc.bigInt({ min: 0n, max: 10_000_000_000_000n });
const anyPrices: fc.Arbitrary<ModelPrices> = fc.record({
  inputNanoUsd: price,
  cachedInputNanoUsd: price,
  objectCachedInputNanoUsd: price,
  outputNanoUsd: price,
  webSearchNanoUsd: price,
  cacheHitNanoUsd: price,
  cacheCreationNanoUsd: price,
  cacheStorageNanoUsd: price,
});
const count = fc.nat(1_000_000);
const fees = fc.record({ webSearches: fc.nat(20), cacheHits: fc.nat(20) });
/** Also counts that contradict each other, as an upstream may send them. */
const anyUsage: fc.Arbitrary<Usage> = fc.record({
  promptTokens: count,
  cachedTokens: count,
  objectCachedTokens: count,
  completionTokens: count,
  fees,
  source: fc.constant('upstream' as const),
});

describe('the cost of a turn', () => {
  it('is the sum of price times count, rounded up once to a whole nano-dollar', () => {
    fc.assert(
      fc.property(anyPrices, anyUsage, (prices, usage) => {
        const cached = Math.min(usage.cachedTokens, usage.promptTokens);
        const objectCached = Math.min(usage.objectCachedTokens ?? 0, cached);
        const millionths =
          prices.inputNanoUsd * BigInt(usage.promptTokens - cached) +
          prices.cachedInputNanoUsd * BigInt(cached - objectCached) +
          prices.objectCachedInputNanoUsd * BigInt(objectCached) +
          prices.outputNanoUsd * BigInt(usage.completionTokens) +
          1_000_000n * prices.webSearchNanoUsd * BigInt(usage.fees?.webSearches ?? 0) +
          1_000_000n * prices.cacheHitNanoUsd * BigInt(usage.fees?.cacheHits ?? 0);
        const excess = costOfTurn(prices, usage) * 1_000_000n - millionths;
        return excess >= 0n && excess < 1_000_000n;
      }),
    );
  });

  it('is never above what is held for it', () => {
    fc.assert(
      fc.property(anyPrices, anyUsage, (prices, usage) => {
        const { promptTokens, completionTokens: outputTokens, fees: feesMax } = usage;
        return costOfTurn(prices, usage) <= worstCostOfTurn(prices, { promptTokens, outputTokens, feesMax });
      }),
    );
  });

  it('is nothing where every price is 0', () => {
    fc.assert(fc.property(anyUsage, (usage) => costOfTurn(freePrices, usage) === 0n));
  });

  it('is at least 90 % cheaper from 256 tokens on when an object covers them', () => {
    for (const promptTokens of [256, 1_000, 100_000]) {
      const usage = { promptTokens, completionTokens: 0, source: 'engine' } as const;
      const plain = costOfTurn(defaults, { ...usage, cachedTokens: 0 });
      const covered = costOfTurn(defaults, {
        ...usage,
        cachedTokens: promptTokens,
        objectCachedTokens: promptTokens,
        fees: { webSearches: 0, cacheHits: 1 },
      });
      expect(covered * 10n).toBeLessThanOrEqual(plain);
    }
  });
});

describe('the cost of a cache', () => {
  it('is 1.15 dollars per million tokens created, and 0.01 per million stored for a minute', () => {
    expect(costOfCacheCreation(defaults, 1_000_000)).toBe(1_150_000_000n);
    expect(costOfCacheStorage(defaults, { tokens: 1_000_000, fromSecond: 0, toSecond: 60 })).toBe(
      10_000_000n,
    );
    expect(costOfCacheStorage(defaults, { tokens: 1, fromSecond: 0, toSecond: 1 })).toBe(1n);
  });

  it('of pieces of time adds up to the whole, however it is cut', () => {
    const cuts = fc.array(fc.nat(100_000), { maxLength: 8 });
    fc.assert(
      fc.property(anyPrices, count, cuts, (prices, tokens, seconds) => {
        const marks = [0, ...seconds.toSorted((a, b) => a - b)];
        const pieces = marks
          .slice(1)
          .map((toSecond, index) =>
            costOfCacheStorage(prices, { tokens, fromSecond: marks[index] ?? 0, toSecond }),
          );
        const whole = costOfCacheStorage(prices, { tokens, fromSecond: 0, toSecond: marks.at(-1) ?? 0 });
        return pieces.reduce((sum, piece) => sum + piece, 0n) === whole;
      }),
    );
  });

  it('reaches for exactly the seconds that an amount pays for', () => {
    fc.assert(
      fc.property(
        anyPrices,
        fc.record({ tokens: count, fromSecond: fc.nat(100_000) }),
        price,
        (prices, stored, funds) => {
          const secondsMax = 10_000;
          const seconds = affordableStorageSeconds(prices, { ...stored, secondsMax }, funds);
          const costOf = (length: number): bigint =>
            costOfCacheStorage(prices, { ...stored, toSecond: stored.fromSecond + length });
          expect(costOf(seconds)).toBeLessThanOrEqual(funds);
          if (seconds < secondsMax) expect(costOf(seconds + 1)).toBeGreaterThan(funds);
        },
      ),
    );
  });
});
