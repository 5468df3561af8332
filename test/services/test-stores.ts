/** Fresh, empty stores for tests: `describe.each(storeKinds)('…', (kind) => { const store = await openTestStore(kind) })`. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { createSchema } from './create-schema.ts';
import { lendSchema } from './lend-schema.ts';

export const storeKinds = ['sqlite', 'postgres'] as const;
export type StoreKind = (typeof storeKinds)[number];

/** What `openStore` needs for a database that nobody else uses; removed when the test is over. */
export interface TestDatabase {
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
}

/** Without a schema: whoever opens it first migrates it. */
export async function createTestDatabase(kind: StoreKind): Promise<TestDatabase> {
  const databaseUrl = kind === 'postgres' ? await createPostgresSchema() : undefined;
  return { dataDir: createDataDir(), databaseUrl };
}

/** A migrated, empty store of its own; closed and removed when the test is over. */
export async function openTestStore(kind: StoreKind): Promise<Store> {
  const dataDir = createDataDir();
  if (kind === 'postgres') {
    return await openUntilTestEnds({ dataDir, databaseUrl: await lendSchema(inject('postgresUrl')) });
  }
  // Migrated once for all tests: a copy is made in no time.
  copyFileSync(inject('migratedSqliteFile'), path.join(dataDir, 'perigee.db'));
  return await openUntilTestEnds({ dataDir, databaseUrl: undefined });
}

function createDataDir(): string {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-store-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

/** Another view of a database that `createTestDatabase` made, as a second process would have it. */
export async function openUntilTestEnds(
  database: TestDatabase,
  options: { readonly purpose?: 'server' | 'command'; readonly now?: () => number } = {},
): Promise<Store> {
  const store = await openStore({ ...database, ...options });
  onTestFinished(async () => await store.close());
  return store;
}

/** A schema of its own inside the one database: made in a millisecond, where a database takes a second. */
async function createPostgresSchema(): Promise<string> {
  const schema = await createSchema(inject('postgresUrl'));
  onTestFinished(async () => await schema.drop());
  return schema.url;
}
