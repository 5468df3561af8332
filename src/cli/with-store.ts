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
  const store = await openStore({ dataDir: config.dataDir, databaseUrl: config.databaseUrl }).catch(
    (error: unknown) => {
      throw explainStoreFailure(error, config);
    },
  );
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** What to throw when the database could not be opened: where it is, instead of a stack trace. */
export function explainStoreFailure(error: unknown, config: Config): unknown {
  if (!(error instanceof StoreError)) return error;
  const place = config.databaseUrl === undefined ? `in ${config.dataDir}` : 'of PERIGEE_DATABASE_URL';
  return new CommandError(`The database ${place} cannot be opened: ${error.message}`, { cause: error });
}
