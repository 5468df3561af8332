/**
 * The writer's side of a SQLite file: groups that wait together share one transaction, each behind its own
 * savepoint, and everything committed while a sync is running shares the next one.
 *
 * Durability: transactions are appended to the write-ahead log in order, and whoever asked for `sync` is
 * answered after an fdatasync of that log which began after the commit. That is what `synchronous = FULL` does,
 * except that FULL blocks the thread meanwhile: measured, a hold (which needs no disk) would then wait for the
 * disk behind a settlement. Lazy groups are answered at once; a later sync covers them too.
 */
import { existsSync, fdatasync, openSync } from 'node:fs';
import { StoreError, toStoreError } from '../store-error.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteReply, SqliteRequest, WireOutcome, WireResult } from './sqlite-protocol.ts';

type GroupRequest = Extract<SqliteRequest, { type: 'group' }>;

export interface SqliteWriter {
  handle(requests: readonly SqliteRequest[]): void;
}

interface WriterOptions {
  readonly connection: SqliteConnection;
  readonly walPath: string;
  readonly transactionIdleMs: number;
  reply(replies: readonly SqliteReply[]): void;
}

export function createSqliteWriter(options: WriterOptions): SqliteWriter {
  const { connection } = options;
  const replyWhenSynced = createLogSync(options);
  /** The interactive (Kysely) transaction that has the connection; everything else waits for its end. */
  let open: { readonly transaction: number; readonly timer: NodeJS.Timeout } | undefined;
  let waiting: SqliteRequest[] = [];

  const leaveTransaction = (): void => {
    clearTimeout(open?.timer);
    open = undefined;
    const next = waiting;
    waiting = [];
    handle(next);
  };

  const enterTransaction = (transaction: number): void => {
    connection.execute('begin immediate');
    const timer = setTimeout(() => {
      rollBack(connection);
      leaveTransaction();
    }, options.transactionIdleMs);
    open = { transaction, timer };
  };

  const handleOne = (request: Exclude<SqliteRequest, GroupRequest>): WireOutcome => {
    switch (request.type) {
      case 'begin':
        enterTransaction(request.transaction);
        return { type: 'done' };
      case 'run':
        if (request.transaction !== open?.transaction) {
          throw new StoreError('busy', 'The transaction was idle for too long and has been rolled back.');
        }
        open?.timer.refresh();
        return { type: 'result', result: connection.run(request.statement) };
      case 'end':
        if (request.transaction !== open?.transaction) {
          throw new StoreError('busy', 'The transaction was idle for too long and has been rolled back.');
        }
        endTransaction(connection, request.how);
        return { type: 'done' };
      case 'checkpoint':
        throw new StoreError('other', 'Checkpoints run on a reader thread, beside the writer.');
      case 'close':
        connection.database.close();
        return { type: 'done' };
      default:
        return request satisfies never;
    }
  };

  const answerOne = (request: Exclude<SqliteRequest, GroupRequest>): void => {
    const outcome = attempt(() => handleOne(request));
    const isTransactionOver = request.type === 'end' && request.transaction === open?.transaction;
    const isDurableWrite = open === undefined || isTransactionOver;
    const replies = [{ id: request.id, outcome }];
    if (isDurableWrite && outcome.type !== 'failed') {
      replyWhenSynced(replies);
    } else {
      options.reply(replies);
    }
    if (isTransactionOver) {
      leaveTransaction();
    }
  };

  const answerGroups = (groups: readonly GroupRequest[]): void => {
    const outcomes = runGroups(connection, groups);
    const replies = groups.map((group, index) => ({
      isNow: group.isLazy || outcomes[index]?.type !== 'committed',
      reply: { id: group.id, outcome: outcomes[index] ?? outcomeMissing },
    }));
    const now = replies.filter((entry) => entry.isNow).map((entry) => entry.reply);
    const synced = replies.filter((entry) => !entry.isNow).map((entry) => entry.reply);
    if (now.length > 0) {
      options.reply(now);
    }
    if (synced.length > 0) {
      replyWhenSynced(synced);
    }
  };

  /** True when the request must wait because a transaction has the connection and it is not part of it. */
  const mustWait = (request: SqliteRequest): boolean =>
    open !== undefined &&
    !((request.type === 'run' || request.type === 'end') && request.transaction === open.transaction);

  function handle(requests: readonly SqliteRequest[]): void {
    let groups: GroupRequest[] = [];
    const flushGroups = (): void => {
      if (groups.length > 0) {
        const batch = groups;
        groups = [];
        answerGroups(batch);
      }
    };
    for (const request of requests) {
      if (mustWait(request)) {
        waiting.push(request);
      } else if (request.type === 'group') {
        groups.push(request);
      } else {
        // Order is kept: what was sent before this request is written before it.
        flushGroups();
        answerOne(request);
      }
    }
    flushGroups();
  }

  return { handle };
}

const outcomeMissing: WireOutcome = { type: 'failed', code: undefined, message: 'The group has no outcome.' };

function attempt(work: () => WireOutcome): WireOutcome {
  try {
    return work();
  } catch (thrown) {
    return failedOutcome(thrown);
  }
}

export function failedOutcome(thrown: unknown): WireOutcome {
  const error = toStoreError(thrown, 'sqlite');
  return { type: 'failed', code: error.databaseCode ?? codeOfKind[error.kind], message: error.message };
}

/** Errors of ours have no database code; they borrow the one that means the same on the other side. */
const codeOfKind: Partial<Record<StoreError['kind'], string>> = { busy: 'SQLITE_BUSY' };

function runGroups(connection: SqliteConnection, groups: readonly GroupRequest[]): WireOutcome[] {
  try {
    connection.execute('begin immediate');
    const outcomes = groups.map((group) => runGroup(connection, group));
    connection.execute('commit');
    return outcomes;
  } catch (thrown) {
    rollBack(connection);
    const outcome = failedOutcome(thrown);
    return groups.map(() => outcome);
  }
}

function runGroup(connection: SqliteConnection, group: GroupRequest): WireOutcome {
  connection.execute('savepoint commit_group');
  const results: WireResult[] = [];
  try {
    for (const statement of group.statements) {
      const result = connection.run(statement);
      if (statement.rowsRequired !== undefined && result.rowCount !== statement.rowsRequired) {
        undoGroup(connection);
        return { type: 'refused', statementIndex: results.length };
      }
      results.push(result);
    }
  } catch (thrown) {
    // A full disk or an I/O error may have rolled the whole transaction back: then all its groups have failed.
    if (!connection.database.inTransaction) {
      throw thrown;
    }
    undoGroup(connection);
    return failedOutcome(thrown);
  }
  connection.execute('release commit_group');
  return { type: 'committed', results };
}

function undoGroup(connection: SqliteConnection): void {
  connection.execute('rollback to commit_group');
  connection.execute('release commit_group');
}

function endTransaction(connection: SqliteConnection, how: 'commit' | 'rollback'): void {
  try {
    connection.execute(how);
  } finally {
    rollBack(connection);
  }
}

function rollBack(connection: SqliteConnection): void {
  if (connection.database.inTransaction) {
    connection.execute('rollback');
  }
}

/** Answers after the log is on disk. A sync that failed once is final: the kernel may have dropped the pages. */
function createLogSync(options: WriterOptions): (replies: readonly SqliteReply[]) => void {
  let logFile: number | undefined;
  let failure: WireOutcome | undefined;
  let isSyncing = false;
  let unsynced: SqliteReply[] = [];

  const sync = (): void => {
    const covered = unsynced;
    unsynced = [];
    isSyncing = true;
    logFile ??= openLog(options.walPath);
    if (logFile === undefined) {
      isSyncing = false;
      answer(covered);
      return;
    }
    fdatasync(logFile, (error) => {
      isSyncing = false;
      failure = error === null ? failure : failedOutcome(new StoreError('unavailable', error.message));
      answer(covered);
    });
  };

  const answer = (covered: readonly SqliteReply[]): void => {
    const outcome = failure;
    options.reply(outcome === undefined ? covered : covered.map(({ id }) => ({ id, outcome })));
    if (unsynced.length > 0) {
      sync();
    }
  };

  return (replies) => {
    unsynced.push(...replies);
    if (!isSyncing) {
      sync();
    }
  };
}

/** The log is made by the first write and never replaced while a connection is open; before, there is none. */
function openLog(walPath: string): number | undefined {
  return existsSync(walPath) ? openSync(walPath, 'r+') : undefined;
}
