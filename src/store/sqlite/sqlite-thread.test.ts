import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { SqliteThread } from './sqlite-thread.ts';

const countTables = {
  type: 'run',
  transaction: undefined,
  statement: { sql: 'select count(*) as n from sqlite_master', parameters: [], rowsRequired: undefined },
} as const;

/** A thread whose folder is missing dies as it opens its file. */
function startWithoutFolder() {
  const parent = mkdtempSync(path.join(tmpdir(), 'perigee-thread-'));
  const folder = path.join(parent, 'missing');
  const thread = new SqliteThread({
    role: 'writer',
    filePath: path.join(folder, 'perigee.db'),
    busyTimeoutMs: 1_000,
    transactionIdleMs: 1_000,
  });
  onTestFinished(async () => {
    await thread.close();
    rmSync(parent, { recursive: true });
  });
  return { thread, folder };
}

it('every call that waits on a thread fails when it dies, and none hangs', async () => {
  const { thread } = startWithoutFolder();
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => thread.call(countTables)));
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  await expect(thread.call(countTables)).rejects.toMatchObject({ name: 'StoreError', kind: 'unavailable' });
  expect(thread.pendingCount).toBe(0);
});

it('a thread that died is replaced once what killed it is mended', async () => {
  const { thread, folder } = startWithoutFolder();
  await expect(thread.call(countTables)).rejects.toMatchObject({ kind: 'unavailable' });
  mkdirSync(folder);
  const answers = await Promise.all([1, 2, 3].map(() => thread.call(countTables)));
  expect(answers).toMatchObject([1, 2, 3].map(() => ({ type: 'result', result: { rows: [{ n: 0 }] } })));
});

it('a closed thread stays closed', async () => {
  const { thread, folder } = startWithoutFolder();
  await expect(thread.call(countTables)).rejects.toMatchObject({ kind: 'unavailable' });
  mkdirSync(folder);
  await thread.call(countTables);
  await thread.close();
  await thread.close();
  await expect(thread.call(countTables)).rejects.toThrow('the store is closed');
});
