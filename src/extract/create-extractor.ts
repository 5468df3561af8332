/**
 * Reads documents in a few worker threads. Every document is bounded in time, memory and text, and a thread that one of
 * them kills takes no other with it: each thread has one document at a time.
 */
import { availableParallelism } from 'node:os';
import { type DocumentSource, ExtractError, type ExtractedDocument, type Extractor } from './document.ts';
import { ExtractThread, type ThreadLimits } from './extract-thread.ts';

export interface ExtractorOptions extends ThreadLimits {
  /** Documents that are read at the same time. */
  readonly threads: number;
  readonly textCharsMax: number;
}

/** Pages of web search: a person waits, and the bytes are few. */
export const pageExtractorDefaults: ExtractorOptions = {
  threads: Math.min(4, Math.max(2, availableParallelism())),
  timeoutMs: 10_000,
  heapMbMax: 512,
  memoryMbMax: 1_024,
  idleMs: 60_000,
  textCharsMax: 5_000_000,
};

/** Uploaded files: books of 100 MB. */
export const fileExtractorDefaults: ExtractorOptions = {
  threads: 2,
  timeoutMs: 120_000,
  heapMbMax: 1_024,
  memoryMbMax: 1_536,
  idleMs: 60_000,
  textCharsMax: 20_000_000,
};

interface Waiter {
  resolve(thread: ExtractThread): void;
  reject(reason: unknown): void;
}

export function createExtractor(options: ExtractorOptions): Extractor {
  const idle = Array.from({ length: options.threads }, () => new ExtractThread(options));
  const all = [...idle];
  /** In the order in which they came. Threads lie idle only while nobody waits. */
  const waiting = new Set<Waiter>();
  let isClosed = false;

  /** A thread of one's own; rejects with the signal's reason. */
  const takeThread = async (signal: AbortSignal): Promise<ExtractThread> => {
    if (isClosed) throw closedError();
    signal.throwIfAborted();
    const thread = idle.pop();
    if (thread !== undefined) return thread;
    const { promise, ...waiter } = Promise.withResolvers<ExtractThread>();
    const leave = (): void => {
      waiting.delete(waiter);
      waiter.reject(signal.reason);
    };
    waiting.add(waiter);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  };

  const giveBack = (thread: ExtractThread): void => {
    const [next] = waiting;
    if (next === undefined) {
      idle.push(thread);
      return;
    }
    waiting.delete(next);
    next.resolve(thread);
  };

  return {
    async extract({ content, ...labels }: DocumentSource, signal: AbortSignal): Promise<ExtractedDocument> {
      const thread = await takeThread(signal);
      try {
        return await thread.run({ content, labels, limits: { textCharsMax: options.textCharsMax } }, signal);
      } finally {
        // The deadlines of many searches pass together: a thread started between two of them would be killed at once.
        if (signal.aborted) setImmediate(giveBack, thread);
        else giveBack(thread);
      }
    },
    async close() {
      isClosed = true;
      for (const { reject } of waiting) reject(closedError());
      waiting.clear();
      await Promise.all(all.map((thread) => thread.close()));
    },
  };
}

const closedError = (): ExtractError => new ExtractError('too_costly', 'The server is being stopped.');
