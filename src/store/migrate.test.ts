import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { createTestDatabase, openUntilTestEnds, storeKinds } from '../../test/services/test-stores.ts';
import { listPendingMigrations, migrate, SchemaError } from './migrate.ts';
import { allMigrations } from './migrations/all-migrations.ts';
import type { Migration } from './migrations/migration.ts';

const broken: Migration = {
  id: '9999-broken',
  statements: () => ['create table half_made (x integer)', 'create table nonsense syntax error'],
};

describe.each(storeKinds)('the schema on %s', (kind) => {
  it('is brought up to date once, and stays', async () => {
    const database = await createTestDatabase(kind);
    const first = await openUntilTestEnds(database, { now: () => 1_700_000_000_000 });
    await first.close();
    const second = await openUntilTestEnds(database);
    const { rows } = await sql<{ id: string; applied_at: number }>`
      select id, applied_at from schema_migrations order by id`.execute(second.db);
    expect(rows).toEqual(allMigrations.map(({ id }) => ({ id, applied_at: 1_700_000_000_000 })));
  });

  it('of a newer version is refused by name', async () => {
    const database = await createTestDatabase(kind);
    const store = await openUntilTestEnds(database);
    await sql`insert into schema_migrations (id, checksum, applied_at) values ('9000-future', 'x', 0)`.execute(
      store.db,
    );
    await store.close();
    const opening = openUntilTestEnds(database);
    await expect(opening).rejects.toThrow(SchemaError);
    await expect(opening).rejects.toThrow('9000-future');
  });

  it('whose steps were altered is refused', async () => {
    const database = await createTestDatabase(kind);
    const store = await openUntilTestEnds(database);
    await sql`update schema_migrations set checksum = 'edited'`.execute(store.db);
    await store.close();
    await expect(openUntilTestEnds(database)).rejects.toThrow(/0001-foundation is not the one/);
  });

  it('stays whole when a step fails half way', async () => {
    const database = await createTestDatabase(kind);
    const store = await openUntilTestEnds(database);
    const plan = { db: store.db, kind, migrations: [...allMigrations, broken], now: () => 0 };
    await expect(migrate(plan)).rejects.toThrow(/syntax/);
    await expect(sql`select * from half_made`.execute(store.db)).rejects.toThrow(/half_made/);
    expect(await listPendingMigrations(plan)).toEqual(['9999-broken']);
  });

  it('is migrated by exactly one of several programs that start together', async () => {
    const database = await createTestDatabase(kind);
    const [store] = await Promise.all(
      Array.from({ length: 4 }, async () => await openUntilTestEnds(database)),
    );
    expect.assert(store !== undefined);
    const { rows } = await sql<{ id: string }>`select id from schema_migrations`.execute(store.db);
    expect(rows).toHaveLength(allMigrations.length);
  });
});
