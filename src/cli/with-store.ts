import type { Config } from '../settings.ts';
import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { CommandError } from './terminal.ts';

/** Opens the store beside a server that may be running, and closes it whatever `work` does. */
export async function withStore<Result>(
  config: Config,
  work: (store: Store) => Promise<Result>,
): Promise<Result> {
  const store = await openStoreOrExplain(config);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

async function openStoreOrExplain(config: Config): Promise<Store> {
  try {
    return await openStore({ dataDir: config.dataDir, databaseUrl: config.databaseUrl });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const place = config.databaseUrl === undefined ? `in ${config.dataDir}` : 'of PERIGEE_DATABASE_URL';
    throw new CommandError(`The database ${place} cannot be opened: ${error.message}`, { cause: error });
  }
}
