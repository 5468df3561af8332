import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { sql } from 'kysely';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTestDatabase, openUntilTestEnds, storeKinds } from '../../test/services/test-stores.ts';
import { seedBootstrap } from '../accounts/seed-bootstrap.ts';
import { allMigrations } from './migrations/all-migrations.ts';
import { inspectStore, openStore } from './open-store.ts';
import { DataFolderInUseError } from './sqlite/server-lock.ts';
import { statement } from './store.ts';
import { StoreError } from './store-error.ts';

const holderProgram = path.join(import.meta.dirname, '../../test/services/hold-store.ts');

/** Another process that has the data folder open as a server. */
async function startHolder(dataDir: string) {
  const child = spawn(process.execPath, [holderProgram, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  expect(line).toBe('open');
  return child;
}

describe('opening a store', () => {
  it('refuses a second server on one data folder and names the first', async () => {
    const { dataDir } = await createTestDatabase('sqlite');
    const holder = await startHolder(dataDir);
    const opening = openStore({ dataDir, databaseUrl: undefined, purpose: 'server' });
    await expect(opening).rejects.toThrow(DataFolderInUseError);
    await expect(opening).rejects.toThrow(`process ${holder.pid}`);
  });

  it('refuses a second server inside one process as well', async () => {
    const database = await createTestDatabase('sqlite');
    await openUntilTestEnds(database, { purpose: 'server' });
    await expect(openStore({ ...database, purpose: 'server' })).rejects.toThrow(DataFolderInUseError);
  });

  it('succeeds at once after the first server was killed', async () => {
    const database = await createTestDatabase('sqlite');
    const holder = await startHolder(database.dataDir);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const store = await openUntilTestEnds(database, { purpose: 'server' });
    expect(store.kind).toBe('sqlite');
  });

  it('gives the folder back when the server closes', async () => {
    const database = await createTestDatabase('sqlite');
    const first = await openStore({ ...database, purpose: 'server' });
    await first.close();
    const second = await openUntilTestEnds(database, { purpose: 'server' });
    expect(second.kind).toBe('sqlite');
  });

  it('lets a command read and write beside a running server', async () => {
    const database = await createTestDatabase('sqlite');
    const server = await openUntilTestEnds(database, { purpose: 'server' });
    const command = await openUntilTestEnds(database, { purpose: 'command' });
    await command.commit([statement("insert into store_marks (name, value) values ('by-command', 1)", [])]);
    await server.commit([
      statement("update store_marks set value = value + 1 where name = 'by-command'", []),
    ]);
    const { value } = await command.db
      .selectFrom('store_marks')
      .select('value')
      .where('name', '=', 'by-command')
      .executeTakeFirstOrThrow();
    expect(value).toBe(2);
  });

  it('does not let a command migrate under a running server', async () => {
    const database = await createTestDatabase('sqlite');
    const server = await openUntilTestEnds(database, { purpose: 'server' });
    // As if the server were of a version before the first step.
    await sql`drop table schema_migrations`.execute(server.db);
    await expect(openStore({ ...database, purpose: 'command' })).rejects.toThrow(DataFolderInUseError);
  });

  it.each(storeKinds)('tells what is in a database on %s, and changes nothing', async (kind) => {
    const database = await createTestDatabase(kind);
    const all = allMigrations.map(({ id }) => id);
    const fresh = kind === 'sqlite' ? undefined : { kind, pending: all, accountCount: 0 };
    expect(await inspectStore(database)).toEqual(fresh);
    expect(await inspectStore(database)).toEqual(fresh);
    expect(readdirSync(database.dataDir)).toEqual([]);
    const store = await openUntilTestEnds(database);
    await seedBootstrap(store);
    expect(await inspectStore(database)).toEqual({ kind, pending: [], accountCount: 1 });
    await sql`delete from schema_migrations where id = '0012-conversation-search'`.execute(store.db);
    const behind = { kind, pending: ['0012-conversation-search'], accountCount: 1 };
    expect([await inspectStore(database), await inspectStore(database)]).toEqual([behind, behind]);
  });

  it('keeps a write-ahead log, checks foreign keys, and keeps its files private', async () => {
    const database = await createTestDatabase('sqlite');
    const store = await openUntilTestEnds(database);
    const pragma = async (name: string) => (await sql.raw(`pragma ${name}`).execute(store.db)).rows[0];
    expect(await pragma('journal_mode')).toEqual({ journal_mode: 'wal' });
    expect(await pragma('foreign_keys')).toEqual({ foreign_keys: 1 });
    for (const file of ['perigee.db', 'perigee.db-wal']) {
      expect(statSync(path.join(database.dataDir, file)).mode & 0o077).toBe(0);
    }
  });

  it('refuses a file that is no database, and leaves it as it is', async () => {
    const { dataDir } = await createTestDatabase('sqlite');
    const file = path.join(dataDir, 'perigee.db');
    const content = 'this is a shopping list '.repeat(100);
    writeFileSync(file, content);
    await expect(openStore({ dataDir, databaseUrl: undefined })).rejects.toThrow(/not a database/);
    expect(readFileSync(file, 'utf8')).toBe(content);
  });

  it('refuses a PostgreSQL that would not sync charges to disk', async () => {
    const database = await createTestDatabase('postgres');
    const url = new URL(database.databaseUrl ?? '');
    url.searchParams.set('options', `${url.searchParams.get('options')} -c synchronous_commit=off`);
    await expect(openStore({ ...database, databaseUrl: url.href })).rejects.toThrow(/synchronous_commit/);
  });

  it('reports a database that cannot be reached as unavailable', async () => {
    const { dataDir } = await createTestDatabase('sqlite');
    // Port 1 on loopback: nothing listens there.
    const opening = openStore({ dataDir, databaseUrl: 'postgres://nobody@127.0.0.1:1/nothing' });
    await expect(opening).rejects.toThrow(StoreError);
    await expect(opening).rejects.toMatchObject({ kind: 'unavailable' });
  });
});
