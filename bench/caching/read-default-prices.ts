import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createPriceBook, type Price } from '../../src/billing/price-book.ts';
import { openStore } from '../../src/store/open-store.ts';

/** The prices that a new installation charges. */
export async function readDefaultPrices(): Promise<Price> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-prices-'));
  const store = await openStore({ dataDir, databaseUrl: undefined, purpose: 'command' });
  try {
    return await createPriceBook(store).find('moonshot/kimi-k2-turbo-preview');
  } finally {
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
