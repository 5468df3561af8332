/**
 * The main thread's end of the checking thread. Hands over one job at a time, so that it is always known which job
 * took too long, and the others can be repeated without asking what became of them.
 */
import { Worker } from 'node:worker_threads';
import { errorCodeOf } from '../error-code.ts';
import { ApiError } from '../errors.ts';
import type { CheckJob, CheckOutcome } from './check-protocol.ts';

/**
 * Compiling what people write takes milliseconds, and the largest schemas that were tried a few seconds; what
 * takes longer is made to. Also how long others may have to wait behind one job.
 */
export const jobSecondsMax = 10;

/** Compiled validators are kept there; a heap without bound would let callers fill the machine's memory. */
const heapMbMax = 512;

/** A job whose thread died under it may have met a heap filled by others; the second time it is to blame. */
const attemptsMax = 2;

export type JobOutcome =
  | CheckOutcome
  /** The job needed too much time or memory. */
  | { readonly type: 'exhausted' };

/** Whose work it is, and until when it is wanted. */
export interface CheckContext {
  readonly accountId: number;
  readonly signal: AbortSignal;
}

interface QueuedJob {
  readonly job: CheckJob;
  readonly accountId: number;
  attempts: number;
  resolve(outcome: JobOutcome): void;
  reject(error: ApiError): void;
}

/** Starts its worker with the first job; an idle worker does not keep the process alive. */
export class CheckThread {
  #worker: Worker | undefined;
  #running: QueuedJob | undefined;
  /** By account, those in front whose turn is next; never an empty list. */
  #waiting = new Map<number, readonly QueuedJob[]>();
  #limit: NodeJS.Timeout | undefined;
  #isClosed = false;

  /**
   * Rejects with ApiError: `client_closed_request` as soon as `signal` fires, `engine_failed` after `close`,
   * `internal_error` when the worker breaks for a reason of its own.
   */
  run(job: CheckJob, { accountId, signal }: CheckContext): Promise<JobOutcome> {
    if (this.#isClosed) return Promise.reject(closedError());
    if (signal.aborted) return Promise.reject(new ApiError('client_closed_request'));
    const { promise, resolve, reject } = Promise.withResolvers<JobOutcome>();
    const queued = { job, accountId, attempts: 0, resolve, reject };
    const abandon = (): void => {
      this.#setWaiting(
        accountId,
        this.#listWaiting(accountId).filter((waiting) => waiting !== queued),
      );
      reject(new ApiError('client_closed_request'));
    };
    signal.addEventListener('abort', abandon, { once: true });
    this.#setWaiting(accountId, [...this.#listWaiting(accountId), queued]);
    this.#startNext();
    return promise.finally(() => signal.removeEventListener('abort', abandon));
  }

  /** Ends the worker in the middle of whatever it does; jobs without an outcome are rejected. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#limit);
    const worker = this.#worker;
    const waiting = [...this.#waiting.values()].flat();
    const unfinished = this.#running === undefined ? waiting : [this.#running, ...waiting];
    this.#worker = undefined;
    this.#running = undefined;
    this.#waiting.clear();
    for (const { reject } of unfinished) reject(closedError());
    await worker?.terminate();
  }

  #startNext(): void {
    if (this.#running !== undefined) return;
    const next = this.#takeNext();
    if (next === undefined) {
      this.#worker?.unref();
      return;
    }
    this.#worker ??= this.#startWorker();
    this.#running = next;
    next.attempts += 1;
    this.#limit = setTimeout(() => this.#endExhausted(), jobSecondsMax * 1000);
    this.#worker.ref();
    this.#worker.postMessage(next.job);
  }

  /** One job of each account in turn: nobody waits behind all that another one has sent. */
  #takeNext(): QueuedJob | undefined {
    const [account] = this.#waiting;
    if (account === undefined) return undefined;
    const [accountId, [next, ...rest]] = account;
    this.#waiting.delete(accountId);
    this.#setWaiting(accountId, rest);
    return next;
  }

  #listWaiting(accountId: number): readonly QueuedJob[] {
    return this.#waiting.get(accountId) ?? [];
  }

  /** Keeps the account's place in the round; a new one comes last. */
  #setWaiting(accountId: number, jobs: readonly QueuedJob[]): void {
    if (jobs.length === 0) this.#waiting.delete(accountId);
    else this.#waiting.set(accountId, jobs);
  }

  #startWorker(): Worker {
    // From source Node strips the types itself; a release holds the emitted file under the same name.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./check-worker.${extension}`, import.meta.url), {
      name: 'output-checks',
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMbMax },
    });
    worker.on('message', (outcome: CheckOutcome) => {
      if (this.#worker === worker) this.#settle((job) => job.resolve(outcome));
    });
    worker.on('error', (error) => this.#lose(worker, error));
    worker.on('exit', () => this.#lose(worker, new Error('it ended')));
    return worker;
  }

  /** Ends the running job by `settle` and goes on with the next. */
  #settle(settle: (job: QueuedJob) => void): void {
    clearTimeout(this.#limit);
    const job = this.#running;
    this.#running = undefined;
    if (job !== undefined) settle(job);
    this.#startNext();
  }

  #endExhausted(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
    this.#settle((job) => job.resolve({ type: 'exhausted' }));
  }

  /** Before all others: it has waited for its turn already. */
  #repeat(job: QueuedJob): void {
    const own = [job, ...this.#listWaiting(job.accountId)];
    this.#waiting.delete(job.accountId);
    this.#waiting = new Map([[job.accountId, own], ...this.#waiting]);
  }

  #lose(worker: Worker, cause: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#settle((job) => {
      if (job.attempts < attemptsMax) this.#repeat(job);
      else if (errorCodeOf(cause) === 'ERR_WORKER_OUT_OF_MEMORY') {
        job.resolve({ type: 'exhausted' });
      } else job.reject(new ApiError('internal_error', { internal: 'the checking thread broke', cause }));
    });
  }
}

const closedError = (): ApiError =>
  new ApiError('engine_failed', { internal: 'the checks of answers were closed' });
