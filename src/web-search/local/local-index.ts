/** The local search index: the main thread's end of it. See `index-file.ts` for what it is. */
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { makeFolder } from '../../store/make-folder.ts';
import type { IndexOperation, IndexOperations, IndexReply, IndexRequest } from './index-protocol.ts';

export interface LocalIndex {
  /** Rejects with an Error that says what SQLite said, or that the index is closed. */
  ask<Operation extends IndexOperation>(
    operation: Operation,
    request: IndexOperations[Operation]['request'],
  ): Promise<IndexOperations[Operation]['answer']>;
  close(): Promise<void>;
}

/** The index's file in the data folder. */
export const indexPathOf = (dataDir: string): string => path.join(dataDir, 'search-index.sqlite');

/** Its thread is started with the first question, and again when it has died. */
export function openLocalIndex(dataDir: string): LocalIndex {
  const pending = new Map<number, PromiseWithResolvers<unknown>>();
  let worker: Worker | undefined;
  let isClosed = false;
  let lastId = 0;

  const lose = (thread: Worker, error: Error): void => {
    // A thread that breaks ends a moment later, and by then another may have taken its place.
    if (worker !== thread) return;
    worker = undefined;
    const lost = [...pending.values()];
    pending.clear();
    for (const { reject } of lost) reject(error);
  };

  const start = (): Worker => {
    makeFolder(dataDir);
    // From source Node strips the types itself; a release holds the emitted file under the same name.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const started = new Worker(new URL(`./index-worker.${extension}`, import.meta.url), {
      name: 'search-index',
      execArgv: [],
      workerData: { path: indexPathOf(dataDir) },
    });
    started.unref();
    started.on('message', (reply: IndexReply) => {
      const call = pending.get(reply.id);
      pending.delete(reply.id);
      if (pending.size === 0) started.unref();
      if (reply.type === 'answer') call?.resolve(reply.answer);
      else call?.reject(new Error(reply.message));
    });
    started.on('error', (error) => lose(started, error));
    started.on('exit', () => lose(started, new Error('the search index is closed')));
    return started;
  };

  return {
    async ask<Operation extends IndexOperation>(
      operation: Operation,
      request: IndexOperations[Operation]['request'],
    ): Promise<IndexOperations[Operation]['answer']> {
      if (isClosed) throw new Error('the search index is closed');
      worker ??= start();
      const call = Promise.withResolvers<unknown>();
      const id = ++lastId;
      pending.set(id, call);
      worker.ref();
      worker.postMessage({ id, operation, request } satisfies IndexRequest<Operation>);
      // The thread answers each operation with its own type (`index-file.ts`).
      return (await call.promise) as IndexOperations[Operation]['answer'];
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      const thread = worker;
      if (thread === undefined) return;
      const ended = new Promise((resolve) => thread.once('exit', resolve));
      // A command has nothing else to wait for, and would end before the file is closed.
      thread.ref();
      thread.postMessage('close');
      await ended;
    },
  };
}
