import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { withFileLock } from './file-lock.ts';

it('outlasts a lock that somebody removed by hand, and ends the work when it cannot be kept', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const root = mkdtempSync(path.join(tmpdir(), 'perigee-lock-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = path.join(root, 'models');
  mkdirSync(folder);
  const lockPath = path.join(folder, 'a.lock');
  const options = { signal: new AbortController().signal, onWait: () => undefined };

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
