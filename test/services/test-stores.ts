/** Fresh, empty stores for tests: `describe.each(storeKinds)('…', (kind) => { const store = await openTestStore(kind) })`. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';

export const storeKinds = ['sqlite', 'postgres'] as const;
export type StoreKind = (typeof storeKinds)[number];

/** What `openStore` needs for a database that nobody else uses; removed when the test is over. */
export interface TestDatabase {
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
}

export async function createTestDatabase(kind: StoreKind): Promise<TestDatabase> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-store-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  return { dataDir, databaseUrl: kind === 'postgres' ? await createPostgresSchema() : undefined };
}

/** A migrated, empty store of its own; closed and removed when the test is over. */
export async function openTestStore(kind: StoreKind): Promise<Store> {
  const database = await createTestDatabase(kind);
  return await openUntilTestEnds(database);
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
  const serverUrl = inject('postgresUrl');
  const name = `perigee_test_${randomBytes(6).toString('hex')}`;
  await runOnServer(serverUrl, `create schema ${name}`);
  onTestFinished(async () => await runOnServer(serverUrl, `drop schema ${name} cascade`));
  const url = new URL(serverUrl);
  url.searchParams.set('options', `-c search_path=${name}`);
  return url.href;
}

async function runOnServer(serverUrl: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
