/** A lock between processes: a file that holds its owner's process id. */
import { open, readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 250;

/**
 * Runs `work` while no other process holds the lock. A lock whose owner has died is taken over. `onWait` is called
 * once when another process has it.
 */
export async function withFileLock<Result>(
  lockPath: string,
  options: { readonly signal: AbortSignal; readonly onWait: () => void },
  work: () => Promise<Result>,
): Promise<Result> {
  let hasWaited = false;
  while (!(await tryLock(lockPath))) {
    if (!(await isOwnerAlive(lockPath))) {
      await rm(lockPath, { force: true });
      continue;
    }
    if (!hasWaited) options.onWait();
    hasWaited = true;
    await delay(pollMs, undefined, { signal: options.signal });
  }
  try {
    return await work();
  } finally {
    await rm(lockPath, { force: true });
  }
}

async function tryLock(lockPath: string): Promise<boolean> {
  try {
    const file = await open(lockPath, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function isOwnerAlive(lockPath: string): Promise<boolean> {
  let owner: number;
  try {
    owner = Number(await readFile(lockPath, 'utf8'));
  } catch {
    return false; // Released between our two looks.
  }
  // An empty file: its owner is between creating and writing it.
  if (owner === 0) return true;
  try {
    process.kill(owner, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, as another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
