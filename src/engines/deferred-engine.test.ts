import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../chat/types.ts';
import { createDeferredEngine } from './deferred-engine.ts';
import type { Engine, ModelBacking, TurnContext } from './engine.ts';

const backing: ModelBacking = {
  weights: 'promised',
  sizeBytes: undefined,
  licence: undefined,
  contextTokens: 0,
  digest: '',
  isSchemaEnforced: true,
};
const request = {} as ChatRequest; // Never looked into: only who answers matters here.
const context: TurnContext = { accountId: 1, inferenceId: 'i', signal: new AbortController().signal };
const turn = { promptTokens: 7 };

function createInner() {
  const calls: string[] = [];
  const engine = {
    id: 'inner',
    kind: 'inner',
    health: () => ({ state: 'ready' }),
    backing: () => ({ ...backing, weights: 'loaded' }),
    prepare: () => Promise.resolve(turn),
    close: () => {
      calls.push('close');
      return Promise.resolve();
    },
  } as unknown as Engine; // The turn is compared, never run.
  return { engine, calls };
}

function createGate(waitMsMax = 60_000) {
  const { promise, resolve, reject } = Promise.withResolvers<Engine>();
  const deferred = createDeferredEngine({
    id: 'embedded',
    kind: 'llama',
    backing,
    start: (report) => {
      report('Fetching the file.');
      return promise;
    },
    describeFailure: (error) => `Cannot load: ${String(error)}`,
    waitMsMax,
  });
  return { deferred, resolve, reject };
}

describe('a deferred engine', () => {
  it('answers a request that came before the engine was there', async () => {
    const { deferred, resolve } = createGate();
    const early = deferred.prepare(request, context);
    resolve(createInner().engine);
    expect(await early).toBe(turn);
  });

  it('knows its weights once it is loaded, and says when it is not', async () => {
    const { deferred, resolve } = createGate();
    expect(deferred.backing().weights).toBe('promised');
    const loaded = deferred.whenLoaded?.(context.signal);
    resolve(createInner().engine);
    await loaded;
    expect(deferred.backing().weights).toBe('loaded');
    const failing = createGate();
    failing.reject(new Error('no file'));
    await expect(failing.deferred.whenLoaded?.(context.signal)).rejects.toMatchObject({
      code: 'model_unavailable',
    });
  });

  it('lets a request go whose client leaves while it waits, and every one when the server closes', async () => {
    const { deferred, resolve } = createGate();
    const client = new AbortController();
    const left = deferred.prepare(request, { ...context, signal: client.signal });
    const stays = deferred.prepare(request, context);
    client.abort();
    await expect(left).rejects.toMatchObject({ code: 'client_closed_request' });
    const closed = deferred.close();
    await expect(stays).rejects.toMatchObject({ code: 'model_unavailable' });
    resolve(createInner().engine);
    await closed;
  });

  it('lets only so many wait, and answers the others at once', async () => {
    const { deferred, resolve } = createGate();
    const waiting = Array.from({ length: 32 }, () => deferred.prepare(request, context));
    await expect(deferred.prepare(request, context)).rejects.toMatchObject({ code: 'model_unavailable' });
    resolve(createInner().engine);
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => turn));
  });

  it('answers 503 that says what is going on when the weights take too long', async () => {
    const { deferred } = createGate(1);
    expect(deferred.health()).toEqual({ state: 'loading', detail: 'Fetching the file.' });
    expect(deferred.backing().weights).toBe('promised');
    await expect(deferred.prepare(request, context)).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('Fetching the file.'),
      retryAfterSeconds: 5,
    });
  });

  it('hands everything to the engine once it is there', async () => {
    const { deferred, resolve } = createGate();
    resolve(createInner().engine);
    await deferred.started;
    expect(deferred.health()).toEqual({ state: 'ready' });
    expect(deferred.backing().weights).toBe('loaded');
    expect(await deferred.prepare(request, context)).toBe(turn);
  });

  it('keeps answering 503 with the reason when the start failed', async () => {
    const { deferred, reject } = createGate();
    reject(new Error('no disk'));
    await deferred.started;
    expect(deferred.health()).toMatchObject({ state: 'failed', detail: expect.stringContaining('no disk') });
    await expect(deferred.prepare(request, context)).rejects.toThrow(/no disk/);
  });

  it('closes an engine that came to life during the shutdown', async () => {
    const { deferred, resolve } = createGate();
    const { engine, calls } = createInner();
    const closed = deferred.close();
    resolve(engine);
    await closed;
    expect(calls).toContain('close');
  });
});
