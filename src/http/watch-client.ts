import type { ServerResponse } from 'node:http';

/** A signal that fires when the client leaves before its answer is complete. */
export function watchClient(raw: ServerResponse): AbortSignal {
  const controller = new AbortController();
  // It may have left while the key was looked up; then there is no event any more.
  if (raw.destroyed) controller.abort();
  raw.on('close', () => {
    if (!raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** For work that goes on whether or not its client is there. */
export const neverLeaves: AbortSignal = new AbortController().signal;
