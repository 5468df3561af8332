/** How worker threads that may keep a core busy for long leave it to those that answer requests. */
import { getPriority, setPriority } from 'node:os';

/** In Unix's unit; a thread so much lower gets about a tenth of a core that others want too. */
const niceness = 10;
const nicenessMax = 19;

/**
 * To be called in a worker thread, once. Linux alone has priorities of threads; where the call would change the whole
 * process nothing is done.
 */
export function lowerThreadPriority(): void {
  // Process 0 is the calling thread there: setpriority(2), "Bugs".
  if (process.platform === 'linux') setPriority(0, Math.min(nicenessMax, getPriority(0) + niceness));
}
