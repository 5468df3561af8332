/**
 * A lock between processes: a file whose owner touches it every second. Who holds it is told by that alone, not by a
 * process id: after a crash another process may have the same id (in containers it regularly is our own), and
 * the owner may live in another container or on another machine that shares the folder. In the file is a token of the
 * owner, so that one who slept for too long neither touches nor removes the lock of the next one.
 */
import { randomUUID } from 'node:crypto';
import { rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCodeOf } from '../error-code.ts';
import { readIfThere } from './read-if-there.ts';

const pollMs = 250;
const touchMs = 1_000;
/** A lock that was not touched for so long belongs to nobody: its owner has died. */
const abandonedMs = 10_000;

interface LockOptions {
  readonly signal: AbortSignal;
  readonly onWait: () => void;
}

/**
 * Runs `work` while no other process holds the lock. A lock whose owner has died is taken over. `onWait` is called
 * once when another process has it. The work's signal fires with the given one, and when the lock cannot be kept: it
 * could not be touched, or it was taken over because this process slept for too long.
 */
export async function withFileLock<Result>(
  lockPath: string,
  options: LockOptions,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { signal } = options;
  const token = randomUUID();
  let hasWaited = false;
  const onWait = (): void => {
    if (!hasWaited) options.onWait();
    hasWaited = true;
  };
  while (!(await tryLock(lockPath, token))) {
    if (await isAbandoned(lockPath)) {
      await removeAbandoned(lockPath, { signal, onWait });
      continue;
    }
    onWait();
    await delay(pollMs, undefined, { signal });
  }
  const lost = new AbortController();
  const timer = setInterval(() => {
    touch(lockPath, token).catch((error: unknown) => lost.abort(error));
  }, touchMs);
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    clearInterval(timer);
    if ((await readIfThere(lockPath)) === token) await rm(lockPath, { force: true });
  }
}

/**
 * Under a lock of its own, which excludes all others who would remove this one: of two who find the same lock
 * abandoned, the slower one would remove what the faster one has taken since.
 */
async function removeAbandoned(lockPath: string, options: LockOptions): Promise<void> {
  await withFileLock(`${lockPath}.takeover`, options, async () => {
    if (await isAbandoned(lockPath)) await rm(lockPath, { force: true });
  });
}

async function tryLock(lockPath: string, token: string): Promise<boolean> {
  try {
    await writeFile(lockPath, token, { flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCodeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function touch(lockPath: string, token: string): Promise<void> {
  const holder = await readIfThere(lockPath);
  // A lock that somebody removed by hand cannot be touched; the work goes on all the same.
  if (holder === undefined) return;
  if (holder !== token) throw new Error(`Another process has taken over the lock ${lockPath}.`);
  const now = new Date();
  try {
    await utimes(lockPath, now, now);
  } catch (error) {
    if (errorCodeOf(error) !== 'ENOENT') throw error; // Removed between the two.
  }
}

async function isAbandoned(lockPath: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(lockPath);
    return Date.now() - mtimeMs > abandonedMs;
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return false; // Released between our two looks.
    throw error;
  }
}
