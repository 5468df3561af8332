import { stat } from 'node:fs/promises';
import path from 'node:path';
import { sql } from 'kysely';
import type { Store } from './store.ts';

/** Bytes of the database on its disk: the SQLite file in the data folder, or the whole PostgreSQL database. */
export async function measureStore(store: Store, dataDir: string): Promise<number> {
  if (store.kind === 'sqlite') return (await stat(path.join(dataDir, 'perigee.db'))).size;
  const { rows } = await sql<{ size: number }>`select pg_database_size(current_database()) as size`.execute(
    store.db,
  );
  return rows[0]?.size ?? 0;
}
