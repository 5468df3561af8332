import { describe, expect, it, onTestFinished } from 'vitest';
import { chatRequest } from '../chat/__fixtures__/chat-request.ts';
import { createModelDirectory } from '../engines/registry.ts';
import { createBarrier } from '../engines/scripted/barrier.ts';
import { createScriptedEngine } from '../engines/scripted/scripted-engine.ts';
import { modelId, openCacheBooks } from './__fixtures__/open-cache-books.ts';
import { startCacheWorker } from './cache-worker.ts';
import type { ContextCachesOptions } from './context-caches.ts';
import { useCache } from './use-cache.ts';

/** An object that this process computes, and does not finish. */
async function openComputing(now?: () => number) {
  const { insert, accountId, ...books } = await openCacheBooks('sqlite', 10n ** 12n);
  await insert('cache-1', 1_000, 600);
  const barrier = createBarrier();
  const engine = createScriptedEngine({ script: () => [{ type: 'wait', barrier }] });
  const parts = {
    store: books.store,
    money: books.money,
    models: createModelDirectory([{ id: modelId, wireName: 'kimi', aliases: [], engine, created: 0 }]),
    decodePrefix: () => chatRequest({}),
  };
  const onError = (error: unknown) => {
    throw error;
  };
  const worker = startCacheWorker({ ...parts, now: books.now, serverId: 'alive', onError });
  onTestFinished(() => worker.close());
  await barrier.reached();
  const options: ContextCachesOptions = {
    ...parts,
    worker,
    ids: { next: () => 'id' },
    now: now ?? books.now,
    cachesMax: 10,
  };
  const use = async (signal: AbortSignal) =>
    await useCache(options, accountId, {
      object: { id: 'cache-1' },
      modelId,
      resetTtlSeconds: undefined,
      isDryRun: false,
      signal,
    });
  return { use };
}

describe('a request with an object that is still being computed', () => {
  it('ends with its client, not with the computation', async () => {
    const { use } = await openComputing();
    const client = new AbortController();
    const used = use(client.signal);
    client.abort();
    await expect(used).rejects.toMatchObject({ code: 'client_closed_request' });
  });

  it('is told to come again after half a minute', async () => {
    let nowMs = Date.UTC(2026, 0, 1);
    // A millisecond is left at the second look, and none at the third.
    const { use } = await openComputing(() => (nowMs += 29_999));
    await expect(use(new AbortController().signal)).rejects.toMatchObject({
      code: 'engine_overloaded',
      retryAfterSeconds: 5,
    });
  });
});
