/** Kysely over the SQLite threads: selects outside transactions go to a reader, everything else to the writer. */
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  RawNode,
  SelectQueryNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { WireStatement } from './sqlite-protocol.ts';
import type { SqliteCall, SqliteThread } from './sqlite-thread.ts';

export interface SqliteThreads {
  readonly writer: SqliteThread;
  /** The reader whose turn it is. */
  pickReader(): SqliteThread;
  /** Told before each call that may write. */
  onWrite(): void;
}

/** The threads belong to the store; Kysely's `destroy` leaves them alone. */
export function createSqliteDialect(threads: SqliteThreads): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteThreadDriver(threads),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class SqliteThreadDriver implements Driver {
  readonly #threads: SqliteThreads;
  #nextTransaction = 1;

  constructor(threads: SqliteThreads) {
    this.#threads = threads;
  }

  async init(): Promise<void> {
    // The threads are open already.
  }

  async acquireConnection(): Promise<SqliteThreadConnection> {
    return new SqliteThreadConnection(this.#threads);
  }

  async beginTransaction(connection: SqliteThreadConnection): Promise<void> {
    await connection.begin(this.#nextTransaction++);
  }

  async commitTransaction(connection: SqliteThreadConnection): Promise<void> {
    await connection.end('commit');
  }

  async rollbackTransaction(connection: SqliteThreadConnection): Promise<void> {
    await connection.end('rollback');
  }

  async savepoint(connection: SqliteThreadConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`savepoint ${quote(name)}`));
  }

  async rollbackToSavepoint(connection: SqliteThreadConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`rollback to ${quote(name)}`));
  }

  async releaseSavepoint(connection: SqliteThreadConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`release ${quote(name)}`));
  }

  async releaseConnection(): Promise<void> {
    // A connection is only a view of the threads; nothing is held between statements.
  }

  async destroy(): Promise<void> {
    // The store closes the threads.
  }
}

class SqliteThreadConnection implements DatabaseConnection {
  readonly #threads: SqliteThreads;
  #transaction: number | undefined;

  constructor(threads: SqliteThreads) {
    this.#threads = threads;
  }

  async begin(transaction: number): Promise<void> {
    this.#threads.onWrite();
    await this.#threads.writer.call({ type: 'begin', transaction });
    this.#transaction = transaction;
  }

  async end(how: 'commit' | 'rollback'): Promise<void> {
    const transaction = this.#transaction;
    if (transaction === undefined) {
      throw new Error('No transaction is open on this connection.');
    }
    this.#transaction = undefined;
    await this.#threads.writer.call({ type: 'end', transaction, how });
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const statement: WireStatement = {
      sql: query.sql,
      parameters: query.parameters,
      rowsRequired: undefined,
    };
    const isRead = this.#transaction === undefined && isSelect(query);
    if (!isRead) {
      this.#threads.onWrite();
    }
    const thread = isRead ? this.#threads.pickReader() : this.#threads.writer;
    const request: SqliteCall = { type: 'run', transaction: this.#transaction, statement };
    const answer = await thread.call(request);
    if (answer.type !== 'result') {
      throw new Error(`A SQLite thread answered '${answer.type}' to a statement.`);
    }
    const { rows, rowCount, insertId } = answer.result;
    return {
      // Kysely's row type is a claim about the SQL text that only its builder can make.
      rows: rows as R[],
      ...(insertId === undefined ? {} : { insertId, numAffectedRows: BigInt(rowCount) }),
    };
  }

  // biome-ignore lint/correctness/useYield: the interface wants a generator, and there is nothing to give.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Streaming is not supported on SQLite: read pages by key.');
  }
}

/** Hand-written SQL counts by its first word; a reader refuses whatever would write all the same. */
function isSelect({ query, sql }: CompiledQuery): boolean {
  return SelectQueryNode.is(query) || (RawNode.is(query) && /^\s*select\b/i.test(sql));
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
