/** The entry of the ranking thread: one job after the other, each answered by one list. */
import { parentPort } from 'node:worker_threads';
import { lowerThreadPriority } from '../lower-thread-priority.ts';
import { type PageText, type RankedPassage, rankPassages } from './rank-passages.ts';

export interface RankJob {
  readonly id: number;
  readonly pages: readonly PageText[];
  readonly question: string;
  readonly countMax: number;
}

export interface RankAnswer {
  readonly id: number;
  readonly passages: readonly RankedPassage[];
}

if (parentPort === null) throw new Error('rank-worker.ts runs only as a worker thread.');
const port = parentPort;
lowerThreadPriority();

// What is thrown here is a defect; it ends the thread, and the other end reports it.
port.on('message', ({ id, pages, question, countMax }: RankJob) => {
  port.postMessage({ id, passages: rankPassages(pages, question, countMax) } satisfies RankAnswer);
});
