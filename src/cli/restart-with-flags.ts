import { isMainThread } from 'node:worker_threads';

/**
 * V8's flags for a server. They are read when a process begins, so a program cannot set them for itself.
 *
 * Megabytes of new objects between two collections (V8 would take 64): a collection copies what is in use of them, which
 * holds the event loop, and twice as much memory stays taken (record 0028).
 */
const flags = ['--max-semi-space-size=8'];

/**
 * Starts this very process again with the flags: same process id, same streams, nothing stays behind. Returns where that
 * is not possible (Windows, a process with a channel to its parent) or has been done.
 */
export function restartWithFlags(): void {
  const { execPath, execArgv, argv } = process;
  const isFlagged = flags.every((flag) => execArgv.includes(flag));
  if (isFlagged || !isMainThread || process.platform === 'win32' || process.channel !== undefined) return;
  process.execve?.(execPath, [execPath, ...execArgv, ...flags, ...argv.slice(1)]);
}
