import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { withFileLock } from './file-lock.ts';

function createLock() {
  const root = mkdtempSync(path.join(tmpdir(), 'perigee-lock-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = path.join(root, 'models');
  mkdirSync(folder);
  return { folder, lockPath: path.join(folder, 'a.lock') };
}

const options = { signal: new AbortController().signal, onWait: () => undefined };

it('takes no lock over that another one has taken over in the meantime', async () => {
  const { folder, lockPath } = createLock();
  writeFileSync(lockPath, 'of a process that died');
  await utimes(lockPath, 0, 0);
  const takeoverPath = `${lockPath}.takeover`;
  writeFileSync(takeoverPath, 'of another who has found it abandoned');
  const waiting = Promise.withResolvers<'waits'>();
  let isHeldByAnother = true;
  const waiter = { ...options, onWait: () => waiting.resolve('waits') };
  const begun = withFileLock(lockPath, waiter, async () => isHeldByAnother);
  expect(await Promise.race([waiting.promise, begun])).toBe('waits');

  writeFileSync(lockPath, 'of the other one');
  rmSync(takeoverPath);
  for (let round = 0; round < 3; round += 1) await withFileLock(takeoverPath, options, async () => undefined);
  isHeldByAnother = false;
  rmSync(lockPath, { force: true });

  expect(await begun).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});

it('ends the work of one whose lock was taken over, and leaves the new lock alone', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const { lockPath } = createLock();

  const reason = await withFileLock(lockPath, options, async (signal) => {
    writeFileSync(lockPath, 'the token of another');
    const lost = new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
    });
    vi.advanceTimersToNextTimer();
    return await lost;
  });

  expect(reason).toMatchObject({ message: expect.stringContaining('taken over') });
  expect(readFileSync(lockPath, 'utf8')).toBe('the token of another');
});

it('outlasts a lock that somebody removed by hand, and ends the work when it cannot be kept', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const { folder, lockPath } = createLock();

  const reason = await withFileLock(lockPath, options, async (signal) => {
    rmSync(lockPath);
    vi.advanceTimersToNextTimer();
    // The same work, begun later: what the lock makes of its own is known by then.
    await expect(utimes(lockPath, 0, 0)).rejects.toMatchObject({ code: 'ENOENT' });
    const lost = new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
    });
    renameSync(folder, `${folder}-away`);
    writeFileSync(folder, 'a file where the folder was');
    vi.advanceTimersToNextTimer();
    const found = await lost;
    rmSync(folder);
    renameSync(`${folder}-away`, folder);
    return found;
  });

  expect(reason).toMatchObject({ code: 'ENOTDIR' });
});
