/**
 * Brings the schema forward at start, and refuses a schema this program does not know. All pending steps run in
 * one transaction (both databases roll DDL back), so a crash half way leaves the old schema, whole.
 */
import { createHash } from 'node:crypto';
import { type Kysely, sql, type Transaction } from 'kysely';
import { type Ddl, ddlOf, type Migration } from './migrations/migration.ts';
import { StoreError } from './store-error.ts';
import type { Tables } from './tables.ts';

// Any constant will do; it keeps replicas that start together from migrating at the same time.
const advisoryLockKey = 7_034_210_665;

/** The schema is not one this program can work with; the message says what to do. */
export class SchemaError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SchemaError';
  }
}

export interface MigrateOptions {
  readonly db: Kysely<Tables>;
  readonly kind: Ddl['kind'];
  readonly migrations: readonly Migration[];
  /** The time written beside each step, in milliseconds. */
  readonly now: () => number;
}

/** Ids of the steps that have not run yet. Throws `SchemaError` on a schema that is newer or was altered. */
export async function listPendingMigrations(
  options: Omit<MigrateOptions, 'now'>,
): Promise<readonly string[]> {
  const pending = await findPending(options.db, options);
  return pending.map((migration) => migration.id);
}

/** Runs what is pending and returns the ids that ran. Throws `SchemaError` as `listPendingMigrations` does. */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  return await options.db.transaction().execute(async (trx) => {
    if (options.kind === 'postgres') {
      await sql`select pg_advisory_xact_lock(${advisoryLockKey})`.execute(trx);
    }
    // Read again under the lock: another replica may have been quicker.
    const pending = await findPending(trx, options);
    if (pending.length > 0) {
      await createMigrationsTable(trx, options.kind);
    }
    for (const migration of pending) {
      await runMigration(trx, migration, options);
    }
    return pending.map((migration) => migration.id);
  });
}

async function createMigrationsTable(trx: Transaction<Tables>, kind: Ddl['kind']): Promise<void> {
  const ddl = ddlOf[kind];
  await sql
    .raw(
      `create table if not exists schema_migrations (
        id text primary key, checksum text not null, applied_at ${ddl.integer} not null ${ddl.tableEnd}`,
    )
    .execute(trx);
}

async function runMigration(
  trx: Transaction<Tables>,
  migration: Migration,
  options: MigrateOptions,
): Promise<void> {
  for (const text of migration.statements(ddlOf[options.kind])) {
    await sql.raw(text).execute(trx);
  }
  await sql`insert into schema_migrations (id, checksum, applied_at)
    values (${migration.id}, ${checksumOf(migration, options.kind)}, ${options.now()})`.execute(trx);
}

async function findPending(
  db: Kysely<Tables>,
  options: Omit<MigrateOptions, 'db' | 'now'>,
): Promise<readonly Migration[]> {
  const applied = await readApplied(db, options.kind);
  const known = new Map(options.migrations.map((migration) => [migration.id, migration]));
  for (const { id, checksum } of applied) {
    const migration = known.get(id);
    if (migration === undefined) {
      throw new SchemaError(
        `The database was written by a newer version of Perigee (it has the step ${id}, unknown here). Start that version again, or restore a backup made before the upgrade.`,
      );
    }
    if (checksumOf(migration, options.kind) !== checksum) {
      throw new SchemaError(
        `The database's step ${id} is not the one this version knows (checksum ${checksum.slice(0, 12)}…). It was made by a modified or unreleased version; use that version, or start with an empty database.`,
      );
    }
  }
  const done = new Set(applied.map((row) => row.id));
  return options.migrations.filter((migration) => !done.has(migration.id));
}

async function readApplied(
  db: Kysely<Tables>,
  kind: Ddl['kind'],
): Promise<readonly { id: string; checksum: string }[]> {
  const tableExists =
    kind === 'sqlite'
      ? sql<{ found: number }>`select count(*) as found from sqlite_master where name = 'schema_migrations'`
      : sql<{
          found: number;
        }>`select count(*) as found from pg_tables where tablename = 'schema_migrations' and schemaname = current_schema()`;
  const { rows } = await tableExists.execute(db);
  if (rows[0] === undefined) {
    throw new StoreError('other', 'The database did not answer whether it has a schema.');
  }
  if (rows[0].found === 0) {
    return [];
  }
  const applied = await sql<{ id: string; checksum: string }>`
    select id, checksum from schema_migrations order by id`.execute(db);
  return applied.rows;
}

function checksumOf(migration: Migration, kind: Ddl['kind']): string {
  const hash = createHash('sha256');
  for (const text of migration.statements(ddlOf[kind])) {
    hash.update(text).update('\n;\n');
  }
  return hash.digest('hex');
}
