/** Computed prefixes that outlive their place in the cache, and the process: with the real model. */
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { chatPieces, type HostSession, startHost } from './host-session.ts';
import { obtainTestModel } from './test-model.ts';

// Loading and decoding take their time on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

/** About 600 tokens, different from the first word on for each subject. */
const book = (subject: string) =>
  `${subject} is the subject. ${'The river runs through the old town. '.repeat(70)}`;

let root: string;
let modelDigest: string;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'perigee-prefixes-'));
  modelDigest = (await obtainTestModel()).sha256;
});
afterAll(() => rmSync(root, { recursive: true }));

interface Start {
  readonly folder: string;
  readonly bytesMax?: number;
  readonly kvType?: 'f16' | 'q8_0';
}

async function start({ folder, bytesMax = 1e9, kvType = 'f16' }: Start): Promise<HostSession> {
  const host = await startHost({
    kvCells: 2_048,
    contextTokensMax: 2_048,
    prefixCacheCells: 1_024,
    kvType,
    threads: 1,
    prefixFiles: { folder, bytesMax, modelDigest },
  });
  onTestFinished(() => host.supervisor.close());
  return host;
}

const newFolder = () => mkdtempSync(path.join(root, 'test-'));
const statesIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.kv'))
    .map((name) => path.join(folder, name));
const bytesIn = (folder: string) =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
const storedIn = async (host: HostSession, count: number) =>
  await expect.poll(async () => (await host.stats()).storedPrefixes, { timeout: 20_000 }).toBe(count);

async function pin(host: HostSession, name: string, text: string): Promise<boolean> {
  await host.ask(text, { outputTokensMax: 1 });
  const { promptId } = await host.supervisor.tokenize(chatPieces(text).slice(0, 2));
  return await host.supervisor.pin(promptId, 'one', name);
}

describe('an evicted prefix', () => {
  it('is read back from disk instead of being computed again, and gives the same text', async () => {
    const folder = newFolder();
    const host = await start({ folder });
    const first = await host.ask(`${book('Ash')} Go on.`);
    await host.ask(book('Beech'));
    await storedIn(host, 1);
    const again = await host.ask(`${book('Ash')} Go on.`);
    expect(again.cachedTokens).toBe(again.promptTokens - 1);
    expect(again.texts).toEqual(first.texts);
    expect((await host.stats()).restoredTokensTotal).toBeGreaterThan(500);
  });

  it('is read once for requests that come together', async () => {
    const host = await start({ folder: newFolder() });
    await host.ask(book('Ash'));
    await host.ask(book('Beech'));
    await storedIn(host, 1);
    const answers = await Promise.all([1, 2, 3].map((number) => host.ask(`${book('Ash')} ${number}`)));
    for (const { cachedTokens } of answers) expect(cachedTokens).toBeGreaterThan(500);
    expect((await host.stats()).restoredTokensTotal).toBeLessThan(1_000);
  });

  it('is never shared with another tenant', async () => {
    const host = await start({ folder: newFolder() });
    await host.ask(book('Ash'));
    await host.ask(book('Beech'));
    await storedIn(host, 1);
    expect((await host.ask(book('Ash'), { tenant: 'two' })).cachedTokens).toBe(0);
  });

  it('stays within the budget of the disk, the longest unused going first', async () => {
    const folder = newFolder();
    const measuring = await start({ folder: newFolder() });
    expect(await pin(measuring, 'one-file', book('Size'))).toBe(true);
    const bytesMax = 2.5 * (await measuring.stats()).storedBytes;
    const host = await start({ folder, bytesMax });
    for (const subject of ['Ash', 'Beech', 'Cedar', 'Douglas', 'Elm']) await host.ask(book(subject));
    await storedIn(host, 2);
    expect((await host.stats()).storedBytes).toBeLessThanOrEqual(bytesMax);
    expect(bytesIn(folder)).toBeLessThan(bytesMax * 1.01);
    expect((await host.ask(book('Ash'))).cachedTokens).toBeLessThan(20);
  });
});

describe('a pinned prefix', () => {
  it('is a hit in the next process', async () => {
    const folder = newFolder();
    const before = await start({ folder });
    expect(await pin(before, 'cache-1', book('Fir'))).toBe(true);
    const first = await before.ask(`${book('Fir')} Go on.`);
    await before.supervisor.close();
    const after = await start({ folder });
    expect([...after.supervisor.pinnedPrefixes]).toEqual(['cache-1']);
    const again = await after.ask(`${book('Fir')} Go on.`);
    expect(again.cachedTokens).toBeGreaterThan(500);
    expect(again.texts).toEqual(first.texts);
    after.supervisor.unpin('cache-1');
    await expect.poll(() => readdirSync(folder)).toEqual([]);
  });

  it('is computed again, without an error, when its file was cut short', async () => {
    const folder = newFolder();
    const before = await start({ folder });
    await pin(before, 'cache-1', book('Fir'));
    await before.supervisor.close();
    const after = await start({ folder });
    for (const state of statesIn(folder)) truncateSync(state, 100_000);
    expect((await after.ask(book('Fir'))).cachedTokens).toBe(0);
    expect(after.supervisor.pinnedPrefixes.size).toBe(0);
    expect(statesIn(folder)).toEqual([]);
    // The file that is cut short before the process starts is not even listed.
    await pin(after, 'cache-2', book('Fir'));
    await after.supervisor.close();
    for (const state of statesIn(folder)) truncateSync(state, 100_000);
    expect((await start({ folder })).supervisor.pinnedPrefixes.size).toBe(0);
  });

  it('is not used by an engine with other settings', async () => {
    const folder = newFolder();
    const before = await start({ folder });
    await pin(before, 'cache-1', book('Fir'));
    await before.supervisor.close();
    const after = await start({ folder, kvType: 'q8_0' });
    expect(after.supervisor.pinnedPrefixes.size).toBe(0);
    expect((await after.ask(book('Fir'))).cachedTokens).toBe(0);
  });

  it('makes room for itself among evicted ones, and is refused when there is none', async () => {
    const host = await start({ folder: newFolder(), bytesMax: 20_000_000 });
    await host.ask(book('Ash'));
    await host.ask(book('Beech'));
    await storedIn(host, 1);
    expect(await pin(host, 'cache-1', book('Fir'))).toBe(true);
    expect(await pin(host, 'cache-2', book('Gum'))).toBe(false);
    expect([...host.supervisor.pinnedPrefixes]).toEqual(['cache-1']);
  });
});
