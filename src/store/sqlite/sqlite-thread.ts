/** The main thread's end of one SQLite thread: sends requests, matches answers, and owns the worker. */
import { Worker } from 'node:worker_threads';
import { type StoreError, storeErrorFromCode } from '../store-error.ts';
import type { SqliteReply, SqliteRequest, SqliteThreadData, WireOutcome } from './sqlite-protocol.ts';
import { createPacker } from './statement-texts.ts';
import { decodeReplies, encodeRequests, type ReplyMessage } from './wire-text.ts';

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
export type SqliteCall = WithoutId<SqliteRequest>;
export type SqliteAnswer = Exclude<WireOutcome, { type: 'failed' }>;

interface PendingCall {
  resolve(answer: SqliteAnswer): void;
  reject(error: StoreError): void;
}

/** Owns one worker; one that died (a full disk, no memory) is replaced by the next call. */
export class SqliteThread {
  readonly #data: SqliteThreadData;
  #worker: Worker | undefined;
  readonly #pending = new Map<number, PendingCall>();
  #outbox: SqliteRequest[] = [];
  #pack = createPacker();
  #nextId = 1;
  #isClosed = false;

  constructor(data: SqliteThreadData) {
    this.#data = data;
    this.#worker = this.#start();
  }

  /** Requests that have no answer yet. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Rejects with a `StoreError`; when the thread dies meanwhile, it is not known whether the request was done. */
  async call(request: SqliteCall): Promise<SqliteAnswer> {
    if (this.#isClosed) {
      throw threadGone(new Error('the store is closed'));
    }
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return await new Promise<SqliteAnswer>((resolve, reject) => {
      const id = this.#nextId++;
      if (this.#pending.size === 0) {
        // Work under way keeps the process alive; an idle store does not.
        worker.ref();
      }
      this.#pending.set(id, { resolve, reject });
      this.#send({ ...request, id });
    });
  }

  /** Ends the thread after everything sent before was answered. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined || this.#isClosed) {
      this.#isClosed = true;
      return;
    }
    const closing = this.call({ type: 'close' });
    this.#isClosed = true;
    await closing;
    await worker.terminate();
  }

  #start(): Worker {
    this.#pack = createPacker();
    // From source Node strips the types itself; a release holds the emitted file under the same name.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./sqlite-worker.${extension}`, import.meta.url), {
      workerData: this.#data,
      name: `sqlite-${this.#data.role}`,
      execArgv: [],
    });
    worker.unref();
    worker.on('message', (message: ReplyMessage) => this.#receive(worker, decodeReplies(message)));
    worker.on('error', (error) => this.#lose(worker, error));
    worker.on('exit', () => this.#lose(worker, new Error('it ended')));
    return worker;
  }

  /** Requests made in one turn of the event loop travel together, so that the writer can group them. */
  #send(request: SqliteRequest): void {
    this.#outbox.push(request);
    if (this.#outbox.length === 1) {
      setImmediate(() => {
        const requests = this.#outbox;
        this.#outbox = [];
        // Empty when the thread died in between; whoever asked knows.
        if (requests.length > 0) {
          this.#worker?.postMessage(encodeRequests(requests.map(this.#pack)));
        }
      });
    }
  }

  #receive(worker: Worker, replies: readonly SqliteReply[]): void {
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
      worker.unref();
    }
  }

  #lose(worker: Worker, cause: Error): void {
    if (this.#worker !== worker) {
      return;
    }
    this.#worker = undefined;
    this.#outbox = [];
    const calls = [...this.#pending.values()];
    this.#pending.clear();
    for (const call of calls) {
      call.reject(threadGone(cause));
    }
  }
}

function threadGone(cause: Error): StoreError {
  return storeErrorFromCode('SQLITE_IOERR', `The SQLite thread is gone: ${cause.message}`, 'sqlite', cause);
}
