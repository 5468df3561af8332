/** A window of 262,144 tokens, as large models have them, with a model that is small enough to fill a part of it here. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { chatPieces, type HostSession, startHost } from './host-session.ts';
import { obtainTestModel } from './test-model.ts';
import { writeRandomModel } from './write-random-model.ts';

// Tens of thousands of tokens are computed, perhaps beside everything else that the machine does.
vi.setConfig({ testTimeout: 300_000 });

const windowTokens = 262_144;
/** More than any default here: neither 32,768 cells nor three quarters of them would do. */
const documentWords = 40_000;

const words = 'time year people way day man thing woman life child world school state family student'.split(
  ' ',
);
const document = Array.from(
  { length: documentWords },
  (_, index) => words[((index * 7_919) ^ (index >> 3)) % words.length],
).join(' ');

let folder: string;
let modelPath: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'perigee-long-'));
  modelPath = path.join(folder, 'random.gguf');
  writeRandomModel(modelPath, (await obtainTestModel()).path, windowTokens);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(kvType: 'f16' | 'q8_0'): Promise<HostSession> {
  const host = await startHost({
    modelPath,
    kvCells: windowTokens,
    contextTokensMax: windowTokens,
    kvType,
    prefixCacheCells: undefined,
    // It runs alone.
    threads: 2,
    prefixFiles: { folder: path.join(folder, kvType), bytesMax: 1e9, modelDigest: 'random' },
  });
  onTestFinished(() => host.supervisor.close());
  return host;
}

it.each(['f16', 'q8_0'] as const)(
  'is offered whole with a %s cache, and keeps a long document over a restart',
  async (kvType) => {
    const host = await start(kvType);
    expect(host.supervisor.model).toMatchObject({ contextTokens: windowTokens, kvCells: windowTokens });
    const first = await host.ask(`${document} first`, { outputTokensMax: 1 });
    expect(first.promptTokens).toBeGreaterThan(documentWords);
    expect(first.cachedTokens).toBe(0);
    // Whoever waits for it hears how far it is.
    const progress = first.events.filter(({ type }) => type === 'prefill');
    expect(progress.length).toBeGreaterThan(10);
    const second = await host.ask(`${document} second`, { outputTokensMax: 1 });
    expect(second.cachedTokens).toBeGreaterThan(documentWords);
    const { promptId } = await host.supervisor.tokenize(chatPieces(document).slice(0, 2));
    expect(await host.supervisor.pin(promptId, 'one', 'cache-1')).toBe(true);
    await host.supervisor.close();
    const next = await start(kvType);
    const third = await next.ask(`${document} third`, { outputTokensMax: 1 });
    expect(third.cachedTokens).toBeGreaterThan(documentWords);
    expect((await next.stats()).restoredTokensTotal).toBeGreaterThan(documentWords);
  },
);
