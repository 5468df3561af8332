/** The writer's side of a SQLite file: takes requests in order, and decides when each may be answered. */
import { StoreError } from '../store-error.ts';
import { failedOutcome } from './failed-outcome.ts';
import { createLogSync, type LogSync } from './log-sync.ts';
import { endTransaction, type GroupRequest, rollBack, runGroups } from './run-groups.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type {
  SqliteReply,
  SqliteRequest,
  WireOutcome,
  WireResult,
  WireStatement,
} from './sqlite-protocol.ts';

type SingleRequest = Exclude<SqliteRequest, GroupRequest>;

export interface SqliteWriterOptions {
  readonly connection: SqliteConnection;
  readonly walPath: string;
  readonly transactionIdleMs: number;
  reply(replies: readonly SqliteReply[]): void;
}

/** Owns the one connection that writes. */
export class SqliteWriter {
  readonly #options: SqliteWriterOptions;
  readonly #log: LogSync;
  /** The interactive (Kysely) transaction that has the connection; everything else waits for its end. */
  #open: { readonly transaction: number; readonly timer: NodeJS.Timeout } | undefined;
  #waiting: SqliteRequest[] = [];
  /** Groups that are answered after a sync anyway, collected while one is running: one transaction for all. */
  #collected: GroupRequest[] = [];

  constructor(options: SqliteWriterOptions) {
    this.#options = options;
    this.#log = createLogSync({ ...options, onSynced: () => this.#writeCollected() });
  }

  /**
   * Neighbouring groups are written together. Order is kept, except that groups which need no disk overtake those
   * that wait for it.
   */
  handle(requests: readonly SqliteRequest[]): void {
    let groups: GroupRequest[] = [];
    const flushGroups = (): void => {
      if (groups.length > 0) {
        const batch = groups;
        groups = [];
        this.#answerGroups(batch);
      }
    };
    for (const request of requests) {
      if (this.#mustWait(request)) {
        this.#waiting.push(request);
      } else if (request.type === 'group' && !request.isLazy && this.#log.isSyncing) {
        this.#collected.push(request);
      } else if (request.type === 'group') {
        groups.push(request);
      } else {
        flushGroups();
        this.#writeCollected();
        this.#answerOne(request);
      }
    }
    flushGroups();
  }

  #writeCollected(): void {
    // An interactive transaction that was begun meanwhile has written them before it began.
    if (this.#collected.length > 0) {
      const groups = this.#collected;
      this.#collected = [];
      this.#answerGroups(groups);
    }
  }

  /** True when a transaction has the connection and the request is not part of it. */
  #mustWait(request: SqliteRequest): boolean {
    const isPartOfOpen =
      (request.type === 'run' || request.type === 'end') && request.transaction === this.#open?.transaction;
    return this.#open !== undefined && !isPartOfOpen;
  }

  #answerGroups(groups: readonly GroupRequest[]): void {
    const outcomes = runGroups(this.#options.connection, groups);
    const now: SqliteReply[] = [];
    const synced: SqliteReply[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      const group = groups[index];
      if (group !== undefined) {
        const isNow = group.isLazy || outcome.type !== 'committed';
        (isNow ? now : synced).push({ id: group.id, outcome });
      }
    }
    if (now.length > 0) {
      this.#options.reply(now);
    }
    if (synced.length > 0) {
      this.#log.answerWhenSynced(synced);
    }
  }

  #answerOne(request: SingleRequest): void {
    const outcome = this.#attempt(request);
    const isTransactionOver = request.type === 'end' && request.transaction === this.#open?.transaction;
    const isDurableWrite = this.#open === undefined || isTransactionOver;
    const replies = [{ id: request.id, outcome }];
    if (isDurableWrite && outcome.type !== 'failed') {
      this.#log.answerWhenSynced(replies);
    } else {
      this.#options.reply(replies);
    }
    if (isTransactionOver) {
      this.#leaveTransaction();
    }
  }

  #attempt(request: SingleRequest): WireOutcome {
    try {
      return this.#run(request);
    } catch (thrown) {
      return failedOutcome(thrown);
    }
  }

  #run(request: SingleRequest): WireOutcome {
    const { connection } = this.#options;
    switch (request.type) {
      case 'begin':
        this.#enterTransaction(request.transaction);
        return { type: 'done' };
      case 'run':
        this.#checkTransaction(request.transaction);
        return { type: 'result', result: this.#runStatement(request.statement) };
      case 'end':
        this.#checkTransaction(request.transaction);
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
  }

  #runStatement(statement: WireStatement): WireResult {
    try {
      return this.#options.connection.run(statement);
    } finally {
      // Only now: a statement that took long (a migration of a large table) was no idleness.
      this.#open?.timer.refresh();
    }
  }

  #checkTransaction(transaction: number | undefined): void {
    if (transaction !== this.#open?.transaction) {
      throw new StoreError('busy', 'The transaction was idle for too long and has been rolled back.');
    }
  }

  #enterTransaction(transaction: number): void {
    const { connection, transactionIdleMs } = this.#options;
    connection.execute('begin immediate');
    const timer = setTimeout(() => {
      rollBack(connection);
      this.#leaveTransaction();
    }, transactionIdleMs);
    this.#open = { transaction, timer };
  }

  #leaveTransaction(): void {
    clearTimeout(this.#open?.timer);
    this.#open = undefined;
    const next = this.#waiting;
    this.#waiting = [];
    this.handle(next);
  }
}
