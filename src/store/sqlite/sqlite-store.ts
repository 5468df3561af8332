/** SQLite behind the `Store` interface: one writer thread, up to two readers, one file `perigee.db`. */
import { closeSync, existsSync, openSync } from 'node:fs';
import path from 'node:path';
import { Kysely } from 'kysely';
import { makeFolder } from '../make-folder.ts';
import type { CommitOptions, CommitResult, Statement, Store } from '../store.ts';
import { StoreError } from '../store-error.ts';
import type { Tables } from '../tables.ts';
import { createSqliteDialect } from './sqlite-dialect.ts';
import { type SqliteAnswer, SqliteThread } from './sqlite-thread.ts';

const readersMax = 2;
const busyTimeoutMs = 5_000;
const transactionIdleMs = 5_000;
const checkpointIntervalMs = 1_000;

export const sqliteFileIn = (dataDir: string): string => path.join(dataDir, 'perigee.db');

/** Opens (and makes, if need be) the file in `dataDir`. Does not migrate. */
export async function openSqliteStore(dataDir: string): Promise<Store> {
  makeFolder(dataDir);
  const filePath = sqliteFileIn(dataDir);
  makePrivateFile(filePath);
  const shared = { filePath, busyTimeoutMs, transactionIdleMs };
  const writer = new SqliteThread({ ...shared, role: 'writer' });
  try {
    // The writer makes the file and turns the log on; readers that came first would race it.
    await probe(writer);
    return new SqliteStore(writer, () => new SqliteThread({ ...shared, role: 'reader' }));
  } catch (thrown) {
    await writer.close();
    throw thrown;
  }
}

/** It holds password hashes and who asked what: nobody else's to read. SQLite gives its log the same mode. */
function makePrivateFile(filePath: string): void {
  // Only a file that is not there yet: closing a second handle on an open database would drop SQLite's locks.
  if (!existsSync(filePath)) {
    closeSync(openSync(filePath, 'a', 0o600));
  }
}

async function probe(thread: SqliteThread): Promise<void> {
  await thread.call({
    type: 'run',
    transaction: undefined,
    statement: { sql: 'select count(*) from sqlite_master', parameters: [], rowsRequired: undefined },
  });
}

class SqliteStore implements Store {
  readonly kind = 'sqlite';
  readonly db: Kysely<Tables>;
  readonly #writer: SqliteThread;
  readonly #startReader: () => SqliteThread;
  readonly #readers: SqliteThread[] = [];
  #checkpointTimer: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  constructor(writer: SqliteThread, startReader: () => SqliteThread) {
    this.#writer = writer;
    this.#startReader = startReader;
    this.db = new Kysely<Tables>({
      dialect: createSqliteDialect({
        writer,
        pickReader: () => this.#pickReader(),
        onWrite: () => this.#scheduleCheckpoint(),
      }),
    });
  }

  async commit<Reason extends string>(
    group: readonly Statement<Reason>[],
    options: CommitOptions = {},
  ): Promise<CommitResult<Reason>> {
    this.#scheduleCheckpoint();
    const answer = await this.#writer.call({
      type: 'group',
      isLazy: options.durability === 'lazy',
      statements: group.map(({ sql, parameters, guard }) => ({ sql, parameters, rowsRequired: guard?.rows })),
    });
    return decodeAnswer(group, answer);
  }

  async close(): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#checkpointTimer);
    await this.db.destroy();
    await Promise.all(this.#readers.map((reader) => reader.close()));
    // Last, so that its connection is the one that folds the log into the file.
    await this.#writer.close();
  }

  /** The least busy reader; threads start when they are needed, so a short command starts few. */
  #pickReader(): SqliteThread {
    if (this.#closed !== undefined) {
      throw new StoreError('unavailable', 'The store is closed.');
    }
    const [best] = this.#readers.toSorted((a, b) => a.pendingCount - b.pendingCount);
    if (best !== undefined && (best.pendingCount === 0 || this.#readers.length >= readersMax)) {
      return best;
    }
    const reader = this.#startReader();
    this.#readers.push(reader);
    return reader;
  }

  /** Folds the log into the file beside the writer, not on its thread: a checkpoint syncs twice. */
  #scheduleCheckpoint(): void {
    if (this.#checkpointTimer !== undefined || this.#closed !== undefined) {
      return;
    }
    this.#checkpointTimer = setTimeout(() => {
      this.#checkpointTimer = undefined;
      // A failed checkpoint loses nothing: the log keeps growing, and the next commit reports a broken disk.
      this.#pickReader()
        .call({ type: 'checkpoint' })
        .catch(() => undefined);
    }, checkpointIntervalMs);
    this.#checkpointTimer.unref();
  }
}

function decodeAnswer<Reason extends string>(
  group: readonly Statement<Reason>[],
  answer: SqliteAnswer,
): CommitResult<Reason> {
  if (answer.type === 'committed') {
    return { isCommitted: true, results: answer.results };
  }
  const guard = answer.type === 'refused' ? group[answer.statementIndex]?.guard : undefined;
  if (answer.type !== 'refused' || guard === undefined) {
    throw new Error(`The SQLite writer answered '${answer.type}' to a group.`);
  }
  return { isCommitted: false, reason: guard.otherwise, statementIndex: answer.statementIndex };
}
