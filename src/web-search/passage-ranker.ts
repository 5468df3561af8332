/**
 * `rank-passages.ts` in a thread of its own: the words of fifty searches at once would keep the event loop busy for
 * seconds. One thread is enough, because a search waits far longer for pages than for this.
 */
import { Worker } from 'node:worker_threads';
import { ApiError } from '../errors.ts';
import type { PageText, RankedPassage } from './rank-passages.ts';
import type { RankAnswer, RankJob } from './rank-worker.ts';

/** A job takes a fraction of a second; a thread that ends none for so long is stuck. */
const silenceMsMax = 10_000;
const heapMbMax = 256;

interface OpenJob {
  readonly resolve: (passages: readonly RankedPassage[]) => void;
  readonly reject: (error: Error) => void;
}

/** Starts its thread with the first job; an idle thread does not keep the process alive. */
export class PassageRanker {
  readonly #open = new Map<number, OpenJob>();
  #worker: Worker | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #nextId = 0;
  #isClosed = false;

  /** Best passage first. Rejects with ApiError `internal_error` when the thread breaks, or the signal's reason. */
  async rank(
    pages: readonly PageText[],
    question: { readonly text: string; readonly countMax: number },
    signal: AbortSignal,
  ): Promise<readonly RankedPassage[]> {
    signal.throwIfAborted();
    if (this.#isClosed) throw rankerError('it was closed');
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<readonly RankedPassage[]>();
    const abandon = (): void => reject(signal.reason);
    signal.addEventListener('abort', abandon, { once: true });
    this.#open.set(id, { resolve, reject });
    this.#worker ??= this.#startWorker();
    this.#worker.ref();
    this.#watchdog ??= setTimeout(() => this.#fail(rankerError('a job took too long')), silenceMsMax);
    const job: RankJob = { id, pages, question: question.text, countMax: question.countMax };
    this.#worker.postMessage(job);
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', abandon);
      this.#open.delete(id);
      if (this.#open.size === 0) this.#rest();
    }
  }

  /** Jobs without an answer are rejected. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#fail(rankerError('it was closed'));
    await worker?.terminate();
  }

  #startWorker(): Worker {
    // From source Node strips the types itself; a release holds the emitted file under the same name.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./rank-worker.${extension}`, import.meta.url), {
      name: 'rank-passages',
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMbMax },
    });
    worker.on('message', ({ id, passages }: RankAnswer) => {
      this.#watchdog?.refresh();
      this.#open.get(id)?.resolve(passages);
    });
    worker.on('error', (error) => {
      if (this.#worker === worker) this.#fail(rankerError('the thread broke', error));
    });
    worker.on('exit', () => {
      if (this.#worker === worker) this.#fail(rankerError('the thread ended'));
    });
    return worker;
  }

  #rest(): void {
    this.#worker?.unref();
    clearTimeout(this.#watchdog);
    this.#watchdog = undefined;
  }

  /** Ends the thread and everything that waits for it; the next job starts another. */
  #fail(error: Error): void {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#rest();
    void worker?.terminate();
    for (const { reject } of this.#open.values()) reject(error);
  }
}

const rankerError = (detail: string, cause?: unknown): ApiError =>
  new ApiError('internal_error', { internal: `ranking of passages: ${detail}`, cause });
