/**
 * A lock between processes: a file whose owner touches it every second. Who holds it is told by that alone, not by a
 * process id: after a crash another process may have the same id (in containers it regularly is our own), and
 * the owner may live in another container or on another machine that shares the folder.
 */
import { open, rm, stat, utimes } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 250;
const touchMs = 1_000;
/** A lock that was not touched for so long belongs to nobody: its owner has died. */
const abandonedMs = 10_000;

/**
 * Runs `work` while no other process holds the lock. A lock whose owner has died is taken over. `onWait` is called
 * once when another process has it. The work's signal fires with the given one, and when the lock cannot be kept: then
 * others will take it over.
 */
export async function withFileLock<Result>(
  lockPath: string,
  options: { readonly signal: AbortSignal; readonly onWait: () => void },
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  let hasWaited = false;
  while (!(await tryLock(lockPath))) {
    if (await isAbandoned(lockPath)) {
      await rm(lockPath, { force: true });
      continue;
    }
    if (!hasWaited) options.onWait();
    hasWaited = true;
    await delay(pollMs, undefined, { signal: options.signal });
  }
  const lost = new AbortController();
  const timer = setInterval(() => {
    touch(lockPath).catch((error: unknown) => lost.abort(error));
  }, touchMs);
  try {
    return await work(AbortSignal.any([options.signal, lost.signal]));
  } finally {
    clearInterval(timer);
    await rm(lockPath, { force: true });
  }
}

async function tryLock(lockPath: string): Promise<boolean> {
  try {
    const file = await open(lockPath, 'wx');
    await file.close();
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function touch(lockPath: string): Promise<void> {
  const now = new Date();
  try {
    await utimes(lockPath, now, now);
  } catch (error) {
    // A lock that somebody removed by hand cannot be touched; the work goes on all the same.
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

async function isAbandoned(lockPath: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(lockPath);
    return Date.now() - mtimeMs > abandonedMs;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false; // Released between our two looks.
    throw error;
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
