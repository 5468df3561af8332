/** Prices as an administrator sees and sets them: every version stays, because charges name theirs. */
import type { Selectable } from 'kysely';
import type { Store } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import { decodePrices, type ModelPrices, setPrice } from './price-book.ts';

export interface PriceVersion extends ModelPrices {
  readonly modelId: string;
  /** From 1; the highest holds. */
  readonly version: number;
  readonly createdAt: number;
}

export interface PriceAdministration {
  /** By model, newest version first. */
  list(): Promise<readonly PriceVersion[]>;
  /** Adds a version that holds everywhere within a second. */
  set(modelId: string, prices: ModelPrices): Promise<void>;
}

export function createPriceAdministration(store: Store, now: () => number = Date.now): PriceAdministration {
  return {
    list: async () => {
      const rows = await store.db
        .selectFrom('prices')
        .selectAll()
        .orderBy('model_id')
        .orderBy('version', 'desc')
        .execute();
      return rows.map(decodeVersion);
    },
    set: async (modelId, prices) => await setPrice(store, modelId, { prices, now }),
  };
}

function decodeVersion(row: Selectable<Tables['prices']>): PriceVersion {
  return {
    modelId: row.model_id,
    version: row.version,
    createdAt: row.created_at,
    ...decodePrices(row),
  };
}
