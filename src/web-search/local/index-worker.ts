/** The index's thread: SQLite blocks, and Chinese is cut into words by the processor, so neither is done elsewhere. */
import { parentPort, workerData } from 'node:worker_threads';
import { lowerThreadPriority } from '../../lower-thread-priority.ts';
import { openIndexFile } from './index-file.ts';
import type { IndexOperation, IndexReply, IndexRequest } from './index-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread only');
lowerThreadPriority();
const { path } = workerData as { path: string }; // From index-thread.ts.

const file = openIndexFile(path);

port.on('message', (message: IndexRequest | 'close') => {
  if (message !== 'close') port.postMessage(answer(message));
  else {
    file.close();
    port.close();
  }
});

function answer<Operation extends IndexOperation>({
  id,
  operation,
  request,
}: IndexRequest<Operation>): IndexReply {
  try {
    return { id, type: 'answer', answer: file.answers[operation](request) };
  } catch (error) {
    return { id, type: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}
