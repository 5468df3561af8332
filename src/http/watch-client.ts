import type { ServerResponse } from 'node:http';
import { ApiError } from '../errors.ts';

/**
 * A signal that fires when the client leaves before its answer is complete. Its reason is ApiError `client_closed_request`:
 * work that throws it has not failed.
 */
export function watchClient(raw: ServerResponse): AbortSignal {
  const controller = new AbortController();
  const leave = (): void => controller.abort(new ApiError('client_closed_request'));
  // It may have left while the key was looked up; then there is no event any more.
  if (raw.destroyed) leave();
  raw.on('close', () => {
    if (!raw.writableFinished) leave();
  });
  return controller.signal;
}

/** For work that goes on whether or not its client is there. */
export const neverLeaves: AbortSignal = new AbortController().signal;
