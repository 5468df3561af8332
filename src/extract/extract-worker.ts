/** The worker thread: one document at a time, whatever it does to the thread. */
import { readFile } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import { lowerThreadPriority } from '../lower-thread-priority.ts';
import { ExtractError } from './document.ts';
import { extractDocument } from './extract-document.ts';
import type { ExtractJob, ExtractOutcome } from './extract-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread only');
lowerThreadPriority();

port.on('message', (job: ExtractJob) => {
  void run(job).then((outcome) => port.postMessage(outcome));
});

async function run({ content, labels, limits }: ExtractJob): Promise<ExtractOutcome> {
  try {
    const bytes = 'bytes' in content ? content.bytes : await readFile(content.path);
    return { type: 'document', document: await extractDocument(bytes, labels, limits) };
  } catch (error) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (error instanceof ExtractError) {
      return { type: 'failed', failure: error.failure, message: error.message, detail };
    }
    // Readers are written for sound files; what one stumbles over is damage, and the log says where.
    return { type: 'failed', failure: 'damaged', message: 'The file is damaged.', detail };
  }
}
