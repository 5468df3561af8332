/** PostgreSQL behind the `Store` interface, for several server processes over one database. */
import { Kysely, type KyselyPlugin, PostgresDialect, type PostgresPool } from 'kysely';
import pg from 'pg';
import { decodeRow, parsePostgresNumber } from '../decode-value.ts';
import type { CommitOptions, CommitResult, Statement, Store } from '../store.ts';
import { StoreError, toStoreError } from '../store-error.ts';
import type { Tables } from '../tables.ts';
import { GroupPipeline, isConnectionLost } from './group-pipeline.ts';
import { runPostgresGroup } from './postgres-group.ts';
import { runMergedGroup } from './postgres-merged-group.ts';

/** Beside the one of `group-pipeline.ts`: reports must not keep money waiting for a connection. */
const connectionsMax = 9;
/** Also how long a group waits for a connection when all are busy. */
const connectTimeoutMs = 10_000;
/** A statement that takes longer fails, and its connection is closed: the server hangs, or nobody hears it. */
const queryTimeoutMsDefault = 30_000;
/** A connection that was silent for so long is probed, so that a vanished server is noticed. */
const keepAliveMs = 10_000;

/**
 * Connects and checks that the server answers. Does not migrate. `queryTimeoutMs` 0 lets a statement take as long as
 * it needs. Rejects with a `StoreError`.
 */
export async function openPostgresStore(
  databaseUrl: string,
  { queryTimeoutMs = queryTimeoutMsDefault }: { readonly queryTimeoutMs?: number } = {},
): Promise<Store> {
  const pool = openPool(databaseUrl, { max: connectionsMax, queryTimeoutMs });
  try {
    await checkServer(pool);
  } catch (thrown) {
    await pool.end();
    throw toStoreError(thrown, 'postgres');
  }
  return new PostgresStore(pool, openPool(databaseUrl, { max: 1, queryTimeoutMs }));
}

/** Connects when it is first asked. */
function openPool(
  databaseUrl: string,
  { max, queryTimeoutMs }: { readonly max: number; readonly queryTimeoutMs: number },
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    // The statements of a group leave together instead of one round trip each (postgres-group.ts).
    pipeline: true,
    types: { getTypeParser: pickTypeParser },
    application_name: 'perigee',
  });
  // The pool replaces an idle connection that the server closed; unheard, the event would end the process.
  pool.on('error', () => undefined);
  // The pool does not listen while a connection is lent; its statements reject, which is where the loss is heard.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

async function checkServer(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ synchronous_commit: string }>('show synchronous_commit');
  if (rows[0]?.synchronous_commit === 'off') {
    throw new StoreError(
      'unavailable',
      'PostgreSQL runs with synchronous_commit = off: charges could be lost. Turn it on for this role or database.',
    );
  }
}

class PostgresStore implements Store {
  readonly kind = 'postgres';
  readonly db: Kysely<Tables>;
  readonly #pool: pg.Pool;
  readonly #groupPool: pg.Pool;
  readonly #pipeline: GroupPipeline;
  readonly #logSync: () => Promise<void>;
  /** Accepted groups whose outcome is still open; `close` waits for them. */
  readonly #running = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(pool: pg.Pool, groupPool: pg.Pool) {
    this.#pool = pool;
    this.#groupPool = groupPool;
    this.#pipeline = new GroupPipeline(groupPool);
    this.#logSync = createLogSync(pool);
    this.db = new Kysely<Tables>({
      dialect: new PostgresDialect({ pool: translateErrors(pool) }),
      plugins: [decodeRows],
    });
  }

  async commit<Reason extends string>(
    group: readonly Statement<Reason>[],
    options: CommitOptions = {},
  ): Promise<CommitResult<Reason>> {
    if (this.#closed !== undefined) {
      throw new StoreError('unavailable', 'The store is closed.');
    }
    const running = this.#commit(group, options);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async close(): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    // The pool would leave whoever waits for a connection waiting.
    await Promise.allSettled(this.#running);
    await this.#groupPool.end();
    await this.db.destroy();
  }

  async #commit<Reason extends string>(
    group: readonly Statement<Reason>[],
    { durability, isIndependent = false }: CommitOptions,
  ): Promise<CommitResult<Reason>> {
    const result = isIndependent
      ? await this.#pipeline.run(async (client) => await runMergedGroup(client, group))
      : await this.#runAlone(group);
    if (result.isCommitted && durability !== 'lazy') {
      await this.#logSync();
    }
    return result;
  }

  async #runAlone<Reason extends string>(group: readonly Statement<Reason>[]): Promise<CommitResult<Reason>> {
    const client = await this.#connect();
    let broken: StoreError | undefined;
    try {
      return await runPostgresGroup(client, group);
    } catch (thrown) {
      const error = toStoreError(thrown, 'postgres');
      broken = isConnectionLost(error) ? error : undefined;
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (thrown) {
      throw toStoreError(thrown, 'postgres');
    }
  }
}

/** The pool as Kysely sees it: what fails is a `StoreError`, as from `commit`. */
function translateErrors(pool: pg.Pool): PostgresPool {
  const fail = (thrown: unknown): never => {
    throw toStoreError(thrown, 'postgres');
  };
  return {
    options: pool.options,
    end: async () => await pool.end(),
    connect: async () => {
      const client = await pool.connect().catch(fail);
      const query = async (text: string, values: unknown[]) => await client.query(text, values).catch(fail);
      // All else is the client's own. `Object.create` knows no types.
      return Object.assign(Object.create(client) as pg.PoolClient, { query });
    },
  };
}

/**
 * Waits until everything committed so far is on disk (and on the standbys, where the server says so). One sync
 * runs at a time, and whoever comes while it runs shares the next one. It is a transaction that writes nothing but
 * one empty log record: committing it synchronously flushes the log, all earlier commits included.
 */
function createLogSync(pool: pg.Pool): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const sync = async (): Promise<void> => {
    try {
      await pool.query(syncLog);
    } catch (thrown) {
      throw toStoreError(thrown, 'postgres');
    }
  };
  const start = (): Promise<void> => {
    const started = sync().finally(() => {
      running = undefined;
    });
    running = started;
    return started;
  };
  return async () => {
    if (running === undefined) {
      return await start();
    }
    // The one that runs may have begun before our commit; the next one begins after it.
    next ??= running
      .catch(() => undefined)
      .then(async () => {
        next = undefined;
        await start();
      });
    await next;
  };
}

const syncLog = "select pg_logical_emit_message(true, 'perigee', '')";

/** Ours for the two types that carry counts and money; the driver's own for the rest. */
function pickTypeParser(typeId: number, format?: 'text' | 'binary'): (value: string) => unknown {
  const isNumber = typeId === pg.types.builtins.INT8 || typeId === pg.types.builtins.NUMERIC;
  // The driver's overloads tell text from binary; we never ask for binary.
  return isNumber ? parsePostgresNumber : pg.types.getTypeParser(typeId, format as 'text');
}

const decodeRows: KyselyPlugin = {
  transformQuery: ({ node }) => node,
  transformResult: async ({ result }) => {
    for (const row of result.rows) {
      decodeRow(row);
    }
    return result;
  },
};
