import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { makeFolder } from './make-folder.ts';
import { openStore } from './open-store.ts';
import { StoreError } from './store-error.ts';

function makeTestFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'perigee-folder-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it('makes every missing folder, for its owner alone, and leaves one that is there as it is', () => {
  const folder = path.join(makeTestFolder(), 'a', 'b', 'c');
  makeFolder(folder);
  makeFolder(folder);
  expect(statSync(path.dirname(folder)).mode & 0o777).toBe(0o700);
});

it('says why a folder cannot be made: a file is in its way', () => {
  const file = path.join(makeTestFolder(), 'file');
  writeFileSync(file, '');
  expect(() => makeFolder(file)).toThrow('EEXIST');
  expect(() => makeFolder(path.join(file, 'below'))).toThrow('ENOTDIR');
});

it.runIf(process.platform === 'linux')(
  'refuses a data folder that the system does not allow, at once',
  async () => {
    expect(() => makeFolder('/proc/perigee/data')).toThrow('ENOENT');
    const opening = openStore({ dataDir: '/proc/perigee', databaseUrl: undefined, purpose: 'server' });
    await expect(opening).rejects.toThrow(StoreError);
    await expect(opening).rejects.toThrow('the folder cannot be made');
  },
);
