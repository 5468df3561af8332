/**
 * The cost formula, all of it (docs/billing.md). A request's cost is one sum over tokens and fees, rounded up once
 * to a whole nano-dollar.
 */
import type { FeeCounts, Usage } from '../chat/types.ts';
import { costOfTokens } from './money.ts';
import type { ModelPrices } from './price-book.ts';

/** Storage is priced per million tokens and minute, and counted by the second. */
const tokenSecondsPerPrice = 60_000_000n;

/**
 * What a turn cost by what was measured. Counts that contradict each other (an upstream's) are read in favour of
 * the caller: at most the whole prompt is cached, at most the cached part by an object.
 */
export function costOfTurn(prices: ModelPrices, usage: Usage): bigint {
  const cachedTokens = Math.min(usage.cachedTokens, usage.promptTokens);
  const objectCachedTokens = Math.min(usage.objectCachedTokens ?? 0, cachedTokens);
  const tokens = costOfTokens([
    { tokens: usage.promptTokens - cachedTokens, priceNanoUsd: prices.inputNanoUsd },
    { tokens: cachedTokens - objectCachedTokens, priceNanoUsd: prices.cachedInputNanoUsd },
    { tokens: objectCachedTokens, priceNanoUsd: prices.objectCachedInputNanoUsd },
    { tokens: usage.completionTokens, priceNanoUsd: prices.outputNanoUsd },
  ]);
  return tokens + costOfFees(prices, usage.fees);
}

/** The most that a turn can cost: what is held for it. */
export function worstCostOfTurn(
  prices: ModelPrices,
  turn: {
    readonly promptTokens: number;
    /** Over all choices. */
    readonly outputTokens: number;
    readonly feesMax: FeeCounts | undefined;
  },
): bigint {
  const tokens = costOfTokens([
    { tokens: turn.promptTokens, priceNanoUsd: dearestInput(prices) },
    { tokens: turn.outputTokens, priceNanoUsd: prices.outputNanoUsd },
  ]);
  return tokens + costOfFees(prices, turn.feesMax);
}

/** An operator may price reused tokens above fresh ones; a hold must cover that too. */
function dearestInput({ inputNanoUsd, cachedInputNanoUsd, objectCachedInputNanoUsd }: ModelPrices): bigint {
  return [cachedInputNanoUsd, objectCachedInputNanoUsd].reduce(
    (dearest, price) => (price > dearest ? price : dearest),
    inputNanoUsd,
  );
}

/** Fees are whole nano-dollars, so adding them after the rounding rounds the same sum. */
function costOfFees(prices: ModelPrices, fees: FeeCounts | undefined): bigint {
  if (fees === undefined) return 0n;
  return prices.webSearchNanoUsd * BigInt(fees.webSearches) + prices.cacheHitNanoUsd * BigInt(fees.cacheHits);
}

/** What putting so many tokens into a context-cache object costs. */
export function costOfCacheCreation(prices: ModelPrices, tokens: number): bigint {
  return costOfTokens([{ tokens, priceNanoUsd: prices.cacheCreationNanoUsd }]);
}

/**
 * What storing a context-cache object costs from one second of its life to another. Each piece is the difference
 * of two rounded sums, so that consecutive pieces add up to the whole exactly, however they are cut.
 */
export function costOfCacheStorage(
  prices: ModelPrices,
  stored: { readonly tokens: number; readonly fromSecond: number; readonly toSecond: number },
): bigint {
  const perSecond = prices.cacheStorageNanoUsd * BigInt(stored.tokens);
  const until = (second: number): bigint =>
    (perSecond * BigInt(second) + tokenSecondsPerPrice - 1n) / tokenSecondsPerPrice;
  return until(stored.toSecond) - until(stored.fromSecond);
}

/** How many seconds of storage an amount pays for, at most `secondsMax`. */
export function affordableStorageSeconds(
  prices: ModelPrices,
  stored: { readonly tokens: number; readonly fromSecond: number; readonly secondsMax: number },
  nanoUsd: bigint,
): number {
  const { tokens, fromSecond, secondsMax } = stored;
  if (costOfCacheStorage(prices, { tokens, fromSecond, toSecond: fromSecond + secondsMax }) <= nanoUsd) {
    return secondsMax;
  }
  // What was charged for the time up to here was rounded up, which may pay for some seconds more.
  const funds = nanoUsd + costOfCacheStorage(prices, { tokens, fromSecond: 0, toSecond: fromSecond });
  const toSecond = (funds * tokenSecondsPerPrice) / (prices.cacheStorageNanoUsd * BigInt(tokens));
  return Math.max(0, Number(toSecond) - fromSecond);
}
