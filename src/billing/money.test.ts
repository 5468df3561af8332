import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  affordableTokens,
  costOfTokens,
  formatUsd,
  MoneyFormatError,
  parseUsd,
  toCredits,
  toUsdNumber,
} from './money.ts';

const anyNanoUsd = fc.bigInt({ min: -9_223_372_036_854_775_807n, max: 9_223_372_036_854_775_807n });
const anyTokens = fc.integer({ min: 0, max: 300_000 });
const anyPrice = fc.bigInt({ min: 0n, max: 100_000_000_000n });

describe('money', () => {
  it('reads back exactly what it wrote', () => {
    fc.assert(fc.property(anyNanoUsd, (nanoUsd) => parseUsd(formatUsd(nanoUsd)) === nanoUsd));
  });

  it('survives the way through a JSON number up to a million dollars', () => {
    const upToAMillion = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n });
    fc.assert(fc.property(upToAMillion, (nanoUsd) => parseUsd(toUsdNumber(nanoUsd)) === nanoUsd));
  });

  it('is the number that its text is, however large', () => {
    const anyAmount = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(fc.property(anyAmount, (nanoUsd) => toUsdNumber(nanoUsd) === Number(formatUsd(nanoUsd))));
    const small = fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n });
    fc.assert(fc.property(small, (nanoUsd) => toUsdNumber(nanoUsd) === Number(formatUsd(nanoUsd))));
  });

  it.each([
    ['1.15', 1_150_000_000n],
    [8, 8_000_000_000n],
    [0.15, 150_000_000n],
    [1e-9, 1n],
    [1.5e-7, 150n],
    ['-0.000000001', -1n],
    ['100.0000000000', 100_000_000_000n],
  ])('reads %s as %s nano-dollars', (usd, nanoUsd) => {
    expect(parseUsd(usd)).toBe(nanoUsd);
  });

  it.each(['', '.5', '1.', 'abc', '1e3', '0x10', '1.0000000001', '1,5', '9223372036.854775808', '1 2'])(
    'refuses %j',
    (text) => {
      expect(() => parseUsd(text)).toThrow(MoneyFormatError);
    },
  );

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e21, 1e-10])('refuses the number %d', (number) => {
    expect(() => parseUsd(number)).toThrow(MoneyFormatError);
  });

  it('turns one dollar into two million credits and rounds half up', () => {
    expect(toCredits(1_000_000_000n)).toBe(2_000_000n);
    expect(toCredits(249n)).toBe(0n);
    expect(toCredits(250n)).toBe(1n);
    expect(toCredits(-250n)).toBe(-1n);
  });

  it('charges ceil(sum of price times tokens / 10^6), rounded once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ tokens: anyTokens, priceNanoUsd: anyPrice }), { maxLength: 6 }),
        (parts) => {
          const exact = parts.reduce((sum, part) => sum + part.priceNanoUsd * BigInt(part.tokens), 0n);
          const cost = costOfTokens(parts);
          return cost * 1_000_000n >= exact && (cost - 1n) * 1_000_000n < exact;
        },
      ),
    );
  });

  it('is free when every price is empty', () => {
    expect(costOfTokens([{ tokens: 100_000, priceNanoUsd: 0n }])).toBe(0n);
  });

  it('affords exactly the most tokens that the amount pays for', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 12n }),
        anyPrice,
        anyTokens,
        (amount, price, tokensMax) => {
          const tokens = affordableTokens(amount, price, tokensMax);
          const costs = (count: number) => costOfTokens([{ tokens: count, priceNanoUsd: price }]);
          const oneMoreFits = tokens < tokensMax && costs(tokens + 1) <= amount;
          return costs(tokens) <= amount && !oneMoreFits;
        },
      ),
    );
  });
});
