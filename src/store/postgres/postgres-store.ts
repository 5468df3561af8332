/** PostgreSQL behind the `Store` interface, for several server processes over one database. */
import { Kysely, type KyselyPlugin, PostgresDialect } from 'kysely';
import pg from 'pg';
import { decodeRow, parsePostgresNumber } from '../decode-value.ts';
import type { CommitOptions, CommitResult, Statement, StatementResult, Store } from '../store.ts';
import { StoreError, toStoreError } from '../store-error.ts';
import type { Tables } from '../tables.ts';

const connectionsMax = 10;
const connectTimeoutMs = 5_000;

/** Connects and checks that the server answers. Does not migrate. Rejects with a `StoreError`. */
export async function openPostgresStore(databaseUrl: string): Promise<Store> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: connectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    // The statements of a group leave together instead of one round trip each.
    pipeline: true,
    types: { getTypeParser: pickTypeParser },
    application_name: 'perigee',
  });
  // The pool replaces an idle connection that the server closed; unheard, the event would end the process.
  pool.on('error', () => undefined);
  try {
    await pool.query('select 1');
  } catch (thrown) {
    await pool.end();
    throw toStoreError(thrown, 'postgres');
  }
  return new PostgresStore(pool);
}

class PostgresStore implements Store {
  readonly kind = 'postgres';
  readonly db: Kysely<Tables>;
  readonly #pool: pg.Pool;
  /** Accepted groups whose outcome is still open; `close` waits for them. */
  readonly #running = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
    this.db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }), plugins: [decodeRows] });
  }

  async commit<Reason extends string>(
    group: readonly Statement<Reason>[],
    options: CommitOptions = {},
  ): Promise<CommitResult<Reason>> {
    if (this.#closed !== undefined) {
      throw new StoreError('unavailable', 'The store is closed.');
    }
    const running = this.#commit(group, options.durability === 'lazy');
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
    await this.db.destroy();
  }

  /** One transaction per group: concurrent commits of different connections share PostgreSQL's own syncs. */
  async #commit<Reason extends string>(
    group: readonly Statement<Reason>[],
    isLazy: boolean,
  ): Promise<CommitResult<Reason>> {
    const client = await this.#connect();
    let broken: Error | undefined;
    try {
      return await runGroup(client, group, isLazy);
    } catch (thrown) {
      const error = toStoreError(thrown, 'postgres');
      // A connection in an unknown state must not go back into the pool.
      broken = error.kind === 'unavailable' || error.kind === 'other' ? error : undefined;
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

/** Two round trips: everything but the end, then commit or rollback by what the guards say. */
async function runGroup<Reason extends string>(
  client: pg.PoolClient,
  group: readonly Statement<Reason>[],
  isLazy: boolean,
): Promise<CommitResult<Reason>> {
  const opening = [
    client.query('begin'),
    ...(isLazy ? [client.query('set local synchronous_commit to off')] : []),
  ];
  const running = group.map(({ sql, parameters }) =>
    client.query<Record<string, unknown>>(numberPlaceholders(sql), [...parameters]),
  );
  const opened = await Promise.allSettled(opening);
  const settled = await Promise.allSettled(running);
  const openingFailure = opened.find((result) => result.status === 'rejected');
  if (openingFailure !== undefined) {
    throw openingFailure.reason;
  }
  const results: StatementResult[] = [];
  for (const [statementIndex, outcome] of settled.entries()) {
    const guard = group[statementIndex]?.guard;
    // In order, so that the first thing that went wrong is what the caller hears, not its consequences.
    if (outcome.status === 'rejected') {
      await client.query('rollback');
      throw outcome.reason;
    }
    const { rows, rowCount } = outcome.value;
    if (guard !== undefined && rowCount !== guard.rows) {
      await client.query('rollback');
      return { isCommitted: false, reason: guard.otherwise, statementIndex };
    }
    for (const row of rows) {
      decodeRow(row);
    }
    results.push({ rowCount: rowCount ?? 0, rows });
  }
  await client.query('commit');
  return { isCommitted: true, results };
}

const numbered = new Map<string, string>();

/** `?` → `$1`, `$2`, …; the texts are constants, so each is rewritten once. */
function numberPlaceholders(sql: string): string {
  const known = numbered.get(sql);
  if (known !== undefined) {
    return known;
  }
  if (!sql.includes('?')) {
    return sql;
  }
  let position = 0;
  const text = sql.replaceAll('?', () => `$${++position}`);
  numbered.set(sql, text);
  return text;
}

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
