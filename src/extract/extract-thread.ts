/** The main thread's end of one worker: one job at a time, watched, and replaced when it dies of it. */
import { Worker } from 'node:worker_threads';
import { ExtractError, type ExtractedDocument } from './document.ts';
import type { ExtractJob, ExtractOutcome } from './extract-protocol.ts';
import { watchMemory } from './watch-memory.ts';

export interface ThreadLimits {
  /** One document's time. */
  readonly timeoutMs: number;
  /** Of the thread's JavaScript heap. */
  readonly heapMbMax: number;
  /** Of the heap and of what lies beside it (buffers of inflated data), which V8 does not limit. */
  readonly memoryMbMax: number;
  /** A thread without work is ended after this, because PDF tables and trees stay in its heap. */
  readonly idleMs: number;
}

const bytesPerMb = 1024 * 1024;

/** Owns the worker. */
export class ExtractThread {
  readonly #limits: ThreadLimits;
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(limits: ThreadLimits) {
    this.#limits = limits;
  }

  /** Must not be called while a job runs. Throws ExtractError, or the signal's reason. */
  async run(job: ExtractJob, signal: AbortSignal): Promise<ExtractedDocument> {
    signal.throwIfAborted();
    if (this.#isClosed) throw tooCostly('The server is being stopped.');
    clearTimeout(this.#idle);
    this.#worker ??= this.#startWorker();
    const worker = this.#worker;
    const { promise, resolve, reject } = Promise.withResolvers<ExtractOutcome>();
    const end = (error: unknown): void => {
      reject(error);
      void this.#discard(worker);
    };
    const onAbort = (): void => end(signal.reason);
    const onExit = (): void => end(tooCostly('The file needs too much memory.'));
    const limit = setTimeout(
      () => end(tooCostly('The file takes too long to read.')),
      this.#limits.timeoutMs,
    );
    const stopWatching = watchMemory(worker, this.#limits.memoryMbMax * bytesPerMb, () =>
      end(tooCostly('The file needs too much memory.')),
    );
    signal.addEventListener('abort', onAbort, { once: true });
    worker.once('message', resolve);
    // Out of memory: V8 ends the thread, and this is where it is heard.
    worker.on('error', onExit);
    worker.on('exit', onExit);
    worker.ref();
    try {
      const transfer = 'bytes' in job.content ? [job.content.bytes.buffer] : [];
      worker.postMessage(job, transfer);
      return readOutcome(await promise);
    } finally {
      clearTimeout(limit);
      stopWatching();
      signal.removeEventListener('abort', onAbort);
      worker.off('message', resolve);
      worker.off('error', onExit);
      worker.off('exit', onExit);
      worker.unref();
      this.#idle = setTimeout(() => void this.#rest(), this.#limits.idleMs).unref();
    }
  }

  /** Ends a running job as well. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#rest();
  }

  async #rest(): Promise<void> {
    clearTimeout(this.#idle);
    if (this.#worker !== undefined) await this.#discard(this.#worker);
  }

  #startWorker(): Worker {
    // From source Node strips the types itself; a release holds the emitted file under the same name.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./extract-worker.${extension}`, import.meta.url), {
      name: 'documents',
      execArgv: [],
      // Libraries print warnings about files; nobody reads them there.
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.heapMbMax },
    });
    // Between jobs a dying thread concerns nobody; the next job starts another.
    worker.on('error', () => this.#forget(worker));
    worker.on('exit', () => this.#forget(worker));
    return worker;
  }

  #forget(worker: Worker): void {
    if (this.#worker === worker) this.#worker = undefined;
  }

  async #discard(worker: Worker): Promise<void> {
    this.#forget(worker);
    worker.ref();
    await worker.terminate();
  }
}

const tooCostly = (message: string): ExtractError => new ExtractError('too_costly', message);

function readOutcome(outcome: ExtractOutcome): ExtractedDocument {
  if (outcome.type === 'document') return outcome.document;
  const { failure, message, detail } = outcome;
  throw new ExtractError(failure, message, { cause: new Error(detail) });
}
