/** The main thread's end of one SQLite thread: sends requests, matches answers, and owns the worker. */
import { Worker } from 'node:worker_threads';
import { type StoreError, storeErrorFromCode } from '../store-error.ts';
import type { SqliteReply, SqliteRequest, SqliteThreadData, WireOutcome } from './sqlite-protocol.ts';

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
export type SqliteCall = WithoutId<SqliteRequest>;
export type SqliteAnswer = Exclude<WireOutcome, { type: 'failed' }>;

interface PendingCall {
  resolve(answer: SqliteAnswer): void;
  reject(error: StoreError): void;
}

export class SqliteThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingCall>();
  #outbox: SqliteRequest[] = [];
  #nextId = 1;
  #death: StoreError | undefined;

  constructor(data: SqliteThreadData) {
    // From source Node strips the types itself; a release holds the emitted file under the same name.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#worker = new Worker(new URL(`./sqlite-worker.${extension}`, import.meta.url), {
      workerData: data,
      name: `sqlite-${data.role}`,
      execArgv: [],
    });
    this.#worker.unref();
    this.#worker.on('message', (replies: readonly SqliteReply[]) => this.#receive(replies));
    this.#worker.on('error', (error) => this.#die(error));
    this.#worker.on('exit', () => this.#die(new Error('The SQLite thread ended.')));
  }

  /** Requests that have no answer yet. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Rejects with a `StoreError`; after the thread's death at once. */
  async call(request: SqliteCall): Promise<SqliteAnswer> {
    if (this.#death !== undefined) {
      throw this.#death;
    }
    return await new Promise<SqliteAnswer>((resolve, reject) => {
      const id = this.#nextId++;
      if (this.#pending.size === 0) {
        // Work under way keeps the process alive; an idle store does not.
        this.#worker.ref();
      }
      this.#pending.set(id, { resolve, reject });
      this.#send({ ...request, id });
    });
  }

  /** Ends the thread after everything sent before was answered. */
  async close(): Promise<void> {
    if (this.#death === undefined) {
      await this.call({ type: 'close' });
    }
    await this.#worker.terminate();
  }

  /** Requests made in one turn of the event loop travel together, so that the writer can group them. */
  #send(request: SqliteRequest): void {
    this.#outbox.push(request);
    if (this.#outbox.length === 1) {
      setImmediate(() => {
        const requests = this.#outbox;
        this.#outbox = [];
        this.#worker.postMessage(requests);
      });
    }
  }

  #receive(replies: readonly SqliteReply[]): void {
    for (const { id, outcome } of replies) {
      const call = this.#pending.get(id);
      this.#pending.delete(id);
      if (outcome.type === 'failed') {
        call?.reject(storeErrorFromCode(outcome.code, outcome.message, 'sqlite'));
      } else {
        call?.resolve(outcome);
      }
    }
    if (this.#pending.size === 0) {
      this.#worker.unref();
    }
  }

  #die(cause: Error): void {
    this.#death ??= storeErrorFromCode(
      'SQLITE_IOERR',
      `The SQLite thread is gone: ${cause.message}`,
      'sqlite',
      cause,
    );
    for (const call of this.#pending.values()) {
      call.reject(this.#death);
    }
    this.#pending.clear();
  }
}
