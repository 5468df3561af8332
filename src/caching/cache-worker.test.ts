import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { storeKinds } from '../../test/services/test-stores.ts';
import { verifyLedger } from '../billing/verify-ledger.ts';
import { chatRequest } from '../chat/__fixtures__/chat-request.ts';
import { createModelDirectory } from '../engines/registry.ts';
import { createBarrier } from '../engines/scripted/barrier.ts';
import {
  createScriptedEngine,
  type ScriptedEngineOptions,
  scriptText,
} from '../engines/scripted/scripted-engine.ts';
import { ApiError } from '../errors.ts';
import { modelId, openCacheBooks } from './__fixtures__/open-cache-books.ts';
import { claim, leaseMs } from './cache-leases.ts';
import { startCacheWorker } from './cache-worker.ts';

vi.setConfig({ testTimeout: 120_000 });

const richNanoUsd = 10n ** 12n;

type Books = Awaited<ReturnType<typeof openCacheBooks>>;

function startWorker({ store, money, now }: Books, options: Partial<ScriptedEngineOptions> = {}) {
  const engine = createScriptedEngine({ script: () => scriptText('.'), ...options });
  const worker = startCacheWorker({
    store,
    money,
    now,
    models: createModelDirectory([{ id: modelId, wireName: 'kimi', aliases: [], engine, created: 0 }]),
    decodePrefix: () => chatRequest({}),
    serverId: 'alive',
    onError: (error) => {
      throw error;
    },
  });
  onTestFinished(() => worker.close());
  const work = async (): Promise<void> => {
    await worker.nudge();
    await worker.settled();
    await worker.nudge();
  };
  return { engine, worker, work };
}

describe.each(storeKinds)('the work on context caches on %s', (kind) => {
  it('is done by one process at a time, and taken over when that one is gone', async () => {
    const { store, insert, now } = await openCacheBooks(kind, richNanoUsd);
    await insert('cache-1', 1_000, 600);
    const by = (serverId: string, laterMs = 0) => ({ serverId, now: now() + laterMs });
    expect(await claim(store, 'cache-1', by('one'))).toMatchObject({ id: 'cache-1', status: 'pending' });
    expect(await claim(store, 'cache-1', by('two'))).toBeUndefined();
    expect(await claim(store, 'cache-1', by('two', leaseMs))).toMatchObject({ id: 'cache-1' });
  });

  it('goes on where a killed process left it', async () => {
    const books = await openCacheBooks(kind, richNanoUsd);
    await books.insert('cache-1', 1_000, 600);
    await claim(books.store, 'cache-1', { serverId: 'dead', now: books.now() });
    books.advance(leaseMs / 1_000);
    const { work } = startWorker(books);
    await work();
    expect((await books.read('cache-1')).status).toBe('ready');
  });
});

describe('computing a context cache', () => {
  it('is tried again after an overload, and ends in an error when it never succeeds', async () => {
    const books = await openCacheBooks('sqlite', richNanoUsd);
    await books.insert('cache-1', 1_000, 86_400);
    const { engine, work } = startWorker(books, {
      script: () => [{ type: 'fail', error: new ApiError('engine_overloaded') }],
    });
    await work();
    expect(await books.read('cache-1')).toMatchObject({ status: 'pending', attempts: 1 });
    for (let minute = 0; minute < 20; minute++) {
      books.advance(60);
      await work();
    }
    expect(await books.read('cache-1')).toMatchObject({
      status: 'error',
      error_type: 'engine_overloaded_error',
      hold_id: null,
    });
    expect(engine.runs).toHaveLength(12);
    expect((await books.balance()).held_nano_usd).toBe(0n);
    expect(await books.chargedFor('cache-1')).toBe(0n);
    expect((await verifyLedger(books.store)).problems).toEqual([]);
  });

  it('ends in an error when the object’s time is over before', async () => {
    const books = await openCacheBooks('sqlite', richNanoUsd);
    await books.insert('cache-1', 1_000, 60);
    books.advance(61);
    const { work } = startWorker(books);
    await work();
    expect((await books.read('cache-1')).error_message).toMatch(/expired before it was computed/);
  });

  it('is given up by a server that stops, and not counted as a failure', async () => {
    const books = await openCacheBooks('sqlite', richNanoUsd);
    await books.insert('cache-1', 1_000, 600);
    const barrier = createBarrier();
    const { worker } = startWorker(books, { script: () => [{ type: 'wait', barrier }] });
    await barrier.reached();
    await worker.close();
    expect(await books.read('cache-1')).toMatchObject({ status: 'pending', attempts: 0, claimed_until: 0 });
    const next = startWorker(books);
    await next.work();
    expect((await books.read('cache-1')).status).toBe('ready');
  });
});
