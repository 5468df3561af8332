import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { type NewPrefix, openPrefixFiles, type PrefixFiles } from './prefix-files.ts';

const identity = { modelDigest: 'a', library: 'llama.cpp', kvType: 'f16', isKvUnified: true };
const stateBytes = 1_000;

function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'perigee-prefix-files-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const open = (folder: string, bytesMax = 1e6): PrefixFiles =>
  openPrefixFiles({ folder, bytesMax, identity, contextTokens: 1_024 });

/** Different tokens for each first one. */
function prefix(name: string, firstToken: number, changes: Partial<NewPrefix> = {}): NewPrefix {
  return {
    name,
    tenant: 'one',
    tokens: Int32Array.from({ length: 128 }, (_, index) => firstToken + index),
    isPinned: false,
    sizeBytes: stateBytes,
    save: (file) => {
      writeFileSync(file, Buffer.alloc(stateBytes, firstToken));
      return stateBytes;
    },
    ...changes,
  };
}

const states = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.kv'));

it.runIf(process.platform === 'linux')('refuses a folder that cannot be made, and does not hang', () => {
  expect(() => open('/proc/perigee/prefixes')).toThrow('ENOENT');
});

it('counts a beginning once that is stored by several at the same time', async () => {
  const folder = newFolder();
  const files = open(folder);
  let saves = 0;
  const one = prefix('cache-1', 1, { isPinned: true });
  const save = (file: string): number => {
    saves += 1;
    return one.save(file);
  };
  const stored = await Promise.all([1, 2, 3].map(() => files.write({ ...one, save })));
  expect(stored).toEqual([true, true, true]);
  expect([saves, files.count, files.usedBytes]).toEqual([1, 1, stateBytes]);
  const found = files.find('one', one.tokens);
  expect(found?.file.name).toBe('cache-1');
  expect(found !== undefined && (await files.isIntact(found.file))).toBe(true);
  files.drop('cache-1');
  expect([files.usedBytes, readdirSync(folder)]).toEqual([0, []]);
});

it('finds a beginning whose file is still being completed, and waits for it', async () => {
  const folder = newFolder();
  const files = open(folder);
  const writing = files.write(prefix('cache-1', 1));
  const found = files.find('one', prefix('cache-1', 1).tokens);
  expect([found?.length, states(folder)]).toEqual([128, []]);
  expect(found !== undefined && (await files.isIntact(found.file))).toBe(true);
  expect([await writing, states(folder)]).toEqual([true, ['cache-1.kv']]);
});

it.each(['one-1.tmp', 'one-1.kv'])(
  'keeps nothing of a beginning that is dropped while its file is being completed (%s)',
  async (stage) => {
    const folder = newFolder();
    const files = open(folder);
    const writing = files.write(prefix('one-1', 1, { isPinned: true }));
    const found = files.find('one', prefix('one-1', 1).tokens);
    // Each file operation takes a turn of the event loop at least, so no stage is missed.
    while (!readdirSync(folder).includes(stage)) await nextTurn();
    files.drop('one-1');
    expect(await writing).toBe(false);
    expect(found !== undefined && (await files.isIntact(found.file))).toBe(false);
    expect([files.count, files.usedBytes, readdirSync(folder)]).toEqual([0, 0, []]);
  },
);

it('forgets a beginning whose file cannot be removed, and fails nobody', async () => {
  const folder = newFolder();
  const files = open(folder);
  await files.write(prefix('cache-1', 1, { isPinned: true }));
  rmSync(path.join(folder, 'cache-1.kv'));
  mkdirSync(path.join(folder, 'cache-1.kv'));
  files.drop('cache-1');
  expect([files.count, files.usedBytes, files.find('one', prefix('cache-1', 1).tokens)]).toEqual([
    0,
    0,
    undefined,
  ]);
  expect(await files.write(prefix('cache-1', 1))).toBe(false);
  expect(readdirSync(folder)).toEqual(['cache-1.kv']);
});

it('stores a beginning anew in the place of its old file', async () => {
  const folder = newFolder();
  const files = open(folder);
  await files.write(prefix('cache-1', 1));
  await files.write(prefix('cache-1', 1));
  expect([files.count, files.usedBytes, states(folder)]).toEqual([1, stateBytes, ['cache-1.kv']]);
});

it('drops nothing for a state that can never fit', async () => {
  const folder = newFolder();
  const files = open(folder, 3 * stateBytes);
  await files.write(prefix('pinned', 1, { isPinned: true }));
  await files.write(prefix('evicted', 1_000));
  expect(await files.write(prefix('large', 2_000, { sizeBytes: 2.5 * stateBytes }))).toBe(false);
  expect(states(folder).sort()).toEqual(['evicted.kv', 'pinned.kv']);
  // What fits beside the pinned one may take the place of the evicted one.
  expect(await files.write(prefix('fitting', 3_000, { sizeBytes: 2 * stateBytes }))).toBe(true);
  expect(states(folder).sort()).toEqual(['fitting.kv', 'pinned.kv']);
});

it('leaves nothing behind of a state that could not be written', async () => {
  const folder = newFolder();
  const files = open(folder);
  const full = prefix('cache-1', 1, {
    save: (file) => {
      writeFileSync(file, 'half');
      return 0;
    },
  });
  expect(await files.write(full)).toBe(false);
  expect([files.count, files.usedBytes, readdirSync(folder)]).toEqual([0, 0, []]);
});

it('does not take a state for whole of which one bit has changed', async () => {
  const folder = newFolder();
  const files = open(folder);
  await files.write(prefix('cache-1', 1));
  const file = files.find('one', prefix('cache-1', 1).tokens)?.file;
  if (file === undefined) throw new Error('the state was not stored');
  expect(await files.isIntact(file)).toBe(true);
  const state = readFileSync(file.path);
  state.writeUInt8(state.readUInt8(500) ^ 1, 500);
  writeFileSync(file.path, state);
  expect(await files.isIntact(file)).toBe(false);
});

it('finds after a restart what was stored, for its own tenant and identity alone', async () => {
  const folder = newFolder();
  const { tokens } = prefix('cache-1', 1);
  await open(folder).write(prefix('cache-1', 1, { isPinned: true }));
  const next = open(folder);
  expect(next.pinnedNames()).toEqual(['cache-1']);
  expect(next.find('one', tokens)?.length).toBe(tokens.length);
  expect(next.find('two', tokens)).toBeUndefined();
  // Only its user may read what prompts said.
  expect(statSync(path.join(folder, 'cache-1.json')).mode & 0o077).toBe(0);
  const otherModel = { ...identity, modelDigest: 'b' };
  const other = openPrefixFiles({ folder, bytesMax: 1e6, identity: otherModel, contextTokens: 1_024 });
  expect([other.count, readdirSync(folder)]).toEqual([0, []]);
});
