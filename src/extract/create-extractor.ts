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

export function createExtractor(options: ExtractorOptions): Extractor {
  const idle = Array.from({ length: options.threads }, () => new ExtractThread(options));
  const all = [...idle];
  const waiting: (() => void)[] = [];
  let isClosed = false;

  /** A thread of one's own; rejects with the signal's reason. */
  const takeThread = async (signal: AbortSignal): Promise<ExtractThread> => {
    for (;;) {
      if (isClosed) throw closedError();
      if (signal.aborted) {
        // It may have been woken for a thread that it takes no more.
        if (idle.length > 0) waiting.shift()?.();
        throw signal.reason;
      }
      const thread = idle.pop();
      if (thread !== undefined) return thread;
      await waitForThread(signal);
    }
  };

  const waitForThread = async (signal: AbortSignal): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    const wake = (): void => resolve();
    signal.addEventListener('abort', wake, { once: true });
    await promise;
    signal.removeEventListener('abort', wake);
    const position = waiting.indexOf(resolve);
    if (position !== -1) waiting.splice(position, 1);
  };

  const giveBack = (thread: ExtractThread): void => {
    idle.push(thread);
    waiting.shift()?.();
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
      for (const wake of waiting.splice(0)) wake();
      await Promise.all(all.map((thread) => thread.close()));
    },
  };
}

const closedError = (): ExtractError => new ExtractError('too_costly', 'The server is being stopped.');
