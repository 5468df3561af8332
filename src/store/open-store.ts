import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { makeFolder } from './make-folder.ts';
import { listPendingMigrations, type MigrateOptions, migrate } from './migrate.ts';
import { allMigrations } from './migrations/all-migrations.ts';
import { openPostgresStore } from './postgres/postgres-store.ts';
import { acquireServerLock, DataFolderInUseError, type ServerLock } from './sqlite/server-lock.ts';
import { openSqliteStore, sqliteFileIn } from './sqlite/sqlite-store.ts';
import type { Store } from './store.ts';
import { StoreError } from './store-error.ts';

export interface OpenStoreOptions {
  /** Holds `perigee.db` and its log; made when it is missing. Not read when `databaseUrl` is set. */
  readonly dataDir: string;
  /** `postgres://…`; undefined = SQLite in `dataDir`. */
  readonly databaseUrl: string | undefined;
  /**
   * `server` keeps a SQLite data folder to itself until `close`; `command` (default) is a short visit beside a
   * running server, such as `perigee keys create`.
   */
  readonly purpose?: 'server' | 'command';
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const migrationWaitMs = 2_000;
const migrationPollMs = 50;

/**
 * Opens the database and brings its schema up to date. Throws `DataFolderInUseError` when another server has
 * the data folder, `SchemaError` when the schema is newer or altered, `StoreError` when it cannot be reached.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const now = options.now ?? Date.now;
  return options.databaseUrl === undefined
    ? await openLocal(options.dataDir, options.purpose ?? 'command', now)
    : await openShared(options.databaseUrl, now);
}

interface Inspection {
  readonly kind: Store['kind'];
  /** Migrations that the next start would run. */
  readonly pending: readonly string[];
  /** 0 before the schema is there. */
  readonly accountCount: number;
}

/** Looks at a database and changes nothing; undefined = there is no file yet. Throws as `openStore` does. */
export async function inspectStore({
  dataDir,
  databaseUrl,
}: Pick<OpenStoreOptions, 'dataDir' | 'databaseUrl'>): Promise<Inspection | undefined> {
  if (databaseUrl === undefined && !existsSync(sqliteFileIn(dataDir))) return undefined;
  const store =
    databaseUrl === undefined ? await openSqliteStore(dataDir) : await openPostgresStore(databaseUrl);
  try {
    const plan = { db: store.db, kind: store.kind, migrations: allMigrations };
    const pending = await listPendingMigrations(plan);
    const hasAccounts = pending.length < allMigrations.length;
    const accounts = hasAccounts ? await store.db.selectFrom('accounts').select('id').execute() : [];
    return { kind: store.kind, pending, accountCount: accounts.length };
  } finally {
    await store.close();
  }
}

async function openShared(databaseUrl: string, now: () => number): Promise<Store> {
  const store = await openPostgresStore(databaseUrl);
  return await closeOnFailure(store, undefined, async () => {
    const plan = { db: store.db, kind: store.kind, migrations: allMigrations, now };
    if ((await listPendingMigrations(plan)).length > 0) {
      await migrateShared(databaseUrl, plan);
    }
  });
}

/** Over a connection of its own, which waits as long as a large table or another replica's migration takes. */
async function migrateShared(databaseUrl: string, plan: MigrateOptions): Promise<void> {
  const patient = await openPostgresStore(databaseUrl, { queryTimeoutMs: 0 });
  try {
    await migrate({ ...plan, db: patient.db });
  } finally {
    await patient.close();
  }
}

async function openLocal(dataDir: string, purpose: 'server' | 'command', now: () => number): Promise<Store> {
  makeDataFolder(dataDir);
  // Taken before the file is touched: a refused server must not even open it.
  const lock = purpose === 'server' ? acquireServerLock(dataDir) : undefined;
  let store: Store;
  try {
    store = await openSqliteStore(dataDir);
  } catch (thrown) {
    lock?.release();
    throw thrown;
  }
  const opened = await closeOnFailure(store, lock, async () => {
    const plan = { db: store.db, kind: store.kind, migrations: allMigrations, now };
    if (lock !== undefined) {
      await migrate(plan);
    } else {
      await migrateAsCommand(dataDir, plan);
    }
  });
  return lock === undefined ? opened : releaseLockOnClose(opened, lock);
}

function makeDataFolder(dataDir: string): void {
  try {
    makeFolder(dataDir);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new StoreError('unavailable', `the folder cannot be made (${reason})`, { cause: thrown });
  }
}

/**
 * A command must not change the schema under a running server, so it takes the server's place for that moment.
 * When the place is taken, it waits a little: another command may be at the same work.
 */
async function migrateAsCommand(dataDir: string, plan: MigrateOptions): Promise<void> {
  const deadline = performance.now() + migrationWaitMs;
  while ((await listPendingMigrations(plan)).length > 0) {
    const lock = tryServerLock(dataDir, performance.now() < deadline);
    if (lock === undefined) {
      await setTimeout(migrationPollMs);
    } else {
      try {
        await migrate(plan);
      } finally {
        lock.release();
      }
    }
  }
}

/** Undefined when the lock is taken and that is bearable; else throws `DataFolderInUseError`. */
function tryServerLock(dataDir: string, mayBeTaken: boolean): ServerLock | undefined {
  try {
    return acquireServerLock(dataDir);
  } catch (thrown) {
    if (mayBeTaken && thrown instanceof DataFolderInUseError) {
      return undefined;
    }
    throw thrown;
  }
}

async function closeOnFailure(
  store: Store,
  lock: ServerLock | undefined,
  prepare: () => Promise<void>,
): Promise<Store> {
  try {
    await prepare();
    return store;
  } catch (thrown) {
    await store.close();
    lock?.release();
    throw thrown;
  }
}

function releaseLockOnClose(store: Store, lock: ServerLock): Store {
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await store.close();
    lock.release();
  };
  return {
    kind: store.kind,
    db: store.db,
    commit: async (group, commitOptions) => await store.commit(group, commitOptions),
    close: async () => {
      closed ??= close();
      await closed;
    },
  };
}
