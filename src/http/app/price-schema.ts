/** Prices as an administrator reads and sets them, in US dollars. */
import { z } from 'zod';
import { toUsdNumber } from '../../billing/money.ts';
import type { PriceVersion } from '../../billing/price-administration.ts';
import { freePrices, type ModelPrices } from '../../billing/price-book.ts';
import { encodeTime } from '../encode-time.ts';
import { usdFromZeroField } from './usd-field.ts';

/** Wire name → ours. Per million tokens, but `web_search` and `cache_hit` (each) and `cache_storage` (and minute). */
const fields = {
  input_usd: 'inputNanoUsd',
  cached_input_usd: 'cachedInputNanoUsd',
  object_cached_input_usd: 'objectCachedInputNanoUsd',
  output_usd: 'outputNanoUsd',
  web_search_usd: 'webSearchNanoUsd',
  cache_hit_usd: 'cacheHitNanoUsd',
  cache_creation_usd: 'cacheCreationNanoUsd',
  cache_storage_usd: 'cacheStorageNanoUsd',
} as const satisfies Record<string, keyof ModelPrices>;

type WireField = keyof typeof fields;
const wireFields = Object.keys(fields) as WireField[]; // The table's own keys; Object.keys widens them to string.

/** What is left out stays as it is. */
export const priceChangeSchema = z
  .object({
    input_usd: usdFromZeroField.optional(),
    cached_input_usd: usdFromZeroField.optional(),
    object_cached_input_usd: usdFromZeroField.optional(),
    output_usd: usdFromZeroField.optional(),
    web_search_usd: usdFromZeroField.optional(),
    cache_hit_usd: usdFromZeroField.optional(),
    cache_creation_usd: usdFromZeroField.optional(),
    cache_storage_usd: usdFromZeroField.optional(),
  } satisfies Record<WireField, z.ZodType>)
  .refine((change) => Object.keys(change).length > 0, { message: 'expected at least one price' });

/** The next version: the change over what holds. */
export function applyPriceChange(
  current: ModelPrices | undefined,
  change: z.output<typeof priceChangeSchema>,
): ModelPrices {
  const next: Record<keyof ModelPrices, bigint> = { ...freePrices };
  for (const wire of wireFields) {
    const name = fields[wire];
    next[name] = change[wire] ?? current?.[name] ?? 0n;
  }
  return next;
}

/** A model's prices: what holds, and all versions, newest first. */
export function encodePrices(modelId: string, versions: readonly PriceVersion[]) {
  const [current] = versions;
  return {
    model: modelId,
    version: current?.version ?? null,
    current: current === undefined ? null : encodeAmounts(current),
    history: versions.map((version) => ({
      version: version.version,
      ...encodeAmounts(version),
      created_at: encodeTime(version.createdAt),
    })),
  };
}

function encodeAmounts(prices: ModelPrices): Record<string, number> {
  return Object.fromEntries(wireFields.map((wire) => [wire, toUsdNumber(prices[fields[wire]])]));
}
