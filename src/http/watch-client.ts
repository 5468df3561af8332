import type { ServerResponse } from 'node:http';

/** A signal that fires when the client leaves before its answer is complete. */
export function watchClient(raw: ServerResponse): AbortSignal {
  const controller = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
