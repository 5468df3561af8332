/** Prices per model, with versions: a change is a new row, so that history keeps the price it was charged at. */
import type { Selectable } from 'kysely';
import { type Statement, type Store, statement } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import type { Tables } from '../store/tables.ts';

/** What a model costs, in nano-dollars. All 0n is an empty price, and the way of a turn is the same. */
export interface ModelPrices {
  /** Per million tokens, as the next three. */
  readonly inputNanoUsd: bigint;
  /** Tokens whose computation was reused by itself. */
  readonly cachedInputNanoUsd: bigint;
  /** Tokens that a context-cache object covers. */
  readonly objectCachedInputNanoUsd: bigint;
  readonly outputNanoUsd: bigint;
  /** Per search that succeeded. */
  readonly webSearchNanoUsd: bigint;
  /** Per use of a context-cache object. */
  readonly cacheHitNanoUsd: bigint;
  /** Per million tokens put into a context-cache object. */
  readonly cacheCreationNanoUsd: bigint;
  /** Per million tokens of a context-cache object and minute. */
  readonly cacheStorageNanoUsd: bigint;
}

export interface Price extends ModelPrices {
  /** Null for a model that has no price: it is free. */
  readonly id: number | null;
}

export interface PriceBook {
  /** The price that holds now; at most a second behind a change made by another process. */
  find(modelId: string): Promise<Price>;
}

/** What a model without a price costs. */
export const freePrices: ModelPrices = {
  inputNanoUsd: 0n,
  cachedInputNanoUsd: 0n,
  objectCachedInputNanoUsd: 0n,
  outputNanoUsd: 0n,
  webSearchNanoUsd: 0n,
  cacheHitNanoUsd: 0n,
  cacheCreationNanoUsd: 0n,
  cacheStorageNanoUsd: 0n,
};
const freePrice: Price = { id: null, ...freePrices };
const staleAfterMs = 1_000;

/** `monotonicNow` in milliseconds. */
export function createPriceBook(
  store: Store,
  monotonicNow: () => number = () => performance.now(),
): PriceBook {
  let known: { readonly prices: Promise<ReadonlyMap<string, Price>>; readonly readAt: number } | undefined;
  return {
    find: async (modelId) => {
      if (known === undefined || monotonicNow() - known.readAt >= staleAfterMs) {
        const prices = readPrices(store);
        known = { prices, readAt: monotonicNow() };
        // A read that failed must not be remembered as the price list.
        prices.catch(() => {
          known = undefined;
        });
      }
      return (await known.prices).get(modelId) ?? freePrice;
    },
  };
}

/** The newest version of each model's price. */
async function readPrices(store: Store): Promise<ReadonlyMap<string, Price>> {
  const rows = await store.db.selectFrom('prices').selectAll().orderBy('version').execute();
  return new Map(rows.map((row) => [row.model_id, { id: row.id, ...decodePrices(row) }]));
}

export function decodePrices(row: Selectable<Tables['prices']>): ModelPrices {
  return {
    inputNanoUsd: row.input_nano_usd,
    cachedInputNanoUsd: row.cached_input_nano_usd,
    objectCachedInputNanoUsd: row.object_cached_input_nano_usd,
    outputNanoUsd: row.output_nano_usd,
    webSearchNanoUsd: row.web_search_nano_usd,
    cacheHitNanoUsd: row.cache_hit_nano_usd,
    cacheCreationNanoUsd: row.cache_creation_nano_usd,
    cacheStorageNanoUsd: row.cache_storage_nano_usd,
  };
}

/** Administrators who set one price in the same moment draw the same version: all but one draw anew. */
const versionDrawsMax = 10;

/** Adds a version that holds from now on (in every process within a second). */
export async function setPrice(
  store: Store,
  modelId: string,
  { prices, now }: { readonly prices: ModelPrices; readonly now: () => number },
): Promise<void> {
  for (let draw = 1; ; draw += 1) {
    try {
      await store.commit([insertVersion(modelId, prices, now())]);
      return;
    } catch (thrown) {
      const isTaken = thrown instanceof StoreError && thrown.kind === 'unique';
      if (!isTaken || draw === versionDrawsMax) throw thrown;
    }
  }
}

function insertVersion(modelId: string, prices: ModelPrices, createdAt: number): Statement<never> {
  return statement(
    `insert into prices
         (model_id, version, input_nano_usd, cached_input_nano_usd, object_cached_input_nano_usd, output_nano_usd,
          web_search_nano_usd, cache_hit_nano_usd, cache_creation_nano_usd, cache_storage_nano_usd, created_at)
       values (?, (select coalesce(max(version), 0) + 1 from prices where model_id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      modelId,
      modelId,
      prices.inputNanoUsd,
      prices.cachedInputNanoUsd,
      prices.objectCachedInputNanoUsd,
      prices.outputNanoUsd,
      prices.webSearchNanoUsd,
      prices.cacheHitNanoUsd,
      prices.cacheCreationNanoUsd,
      prices.cacheStorageNanoUsd,
      createdAt,
    ],
  );
}
