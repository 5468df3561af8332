/** Prices per model, with versions: a change is a new row, so that history keeps the price it was charged at. */
import { type Store, statement } from '../store/store.ts';

/** Nano-dollars per million tokens; all 0n is an empty price, and the way of a turn is the same. */
export interface TokenPrices {
  readonly inputNanoUsd: bigint;
  readonly cachedInputNanoUsd: bigint;
  readonly outputNanoUsd: bigint;
}

export interface Price extends TokenPrices {
  /** Null for a model that has no price: it is free. */
  readonly id: number | null;
}

export interface PriceBook {
  /** The price that holds now; at most a second behind a change made by another process. */
  find(modelId: string): Promise<Price>;
}

const freePrice: Price = { id: null, inputNanoUsd: 0n, cachedInputNanoUsd: 0n, outputNanoUsd: 0n };
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
  return new Map(
    rows.map((row) => [
      row.model_id,
      {
        id: row.id,
        inputNanoUsd: row.input_nano_usd,
        cachedInputNanoUsd: row.cached_input_nano_usd,
        outputNanoUsd: row.output_nano_usd,
      },
    ]),
  );
}

/** Adds a version that holds from now on (in every process within a second). */
export async function setPrice(
  store: Store,
  modelId: string,
  change: { readonly prices: TokenPrices; readonly now: () => number },
): Promise<void> {
  const { inputNanoUsd, cachedInputNanoUsd, outputNanoUsd } = change.prices;
  await store.commit([
    statement(
      `insert into prices
         (model_id, version, input_nano_usd, cached_input_nano_usd, output_nano_usd, created_at)
       values (?, (select coalesce(max(version), 0) + 1 from prices where model_id = ?), ?, ?, ?, ?)`,
      [modelId, modelId, inputNanoUsd, cachedInputNanoUsd, outputNanoUsd, change.now()],
    ),
  ]);
}
