import { isMainThread } from 'node:worker_threads';

/**
 * V8's flags for a server, which are read when a process begins, so that a program cannot set them for itself. What each
 * of them saves was measured (record 0028).
 */
const flags = [
  // Megabytes of new objects between two collections (V8 would take 64): a collection copies what is in use of them,
  // which holds the event loop, and three times as much memory stays taken.
  '--max-semi-space-size=16',
  // Of a server that waits V8 would collect whatever is unused, and with it the shapes that compiled code relies on: the
  // next thousand requests would compile it again.
  '--no-memory-reducer',
  // How much the heap may grow over what is in use, instead: V8 would take up to four times as much.
  '--heap-growing-percent=80',
];

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
