import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createOpenTurns, shutDown } from './shut-down.ts';

/** A server that writes down in which order its parts are closed. */
function createServer(drained: Promise<void>) {
  const order: string[] = [];
  const openTurns = createOpenTurns();
  const server = {
    openTurns,
    http: {
      close: async () => {
        order.push('http');
        await drained;
      },
      server: { closeAllConnections: () => order.push('connections') },
    },
    engines: { close: async () => void order.push('engines') },
    outputChecker: { close: async () => void order.push('checks') },
    webSearch: { close: async () => void order.push('search') },
    files: { close: async () => void order.push('files') },
    caching: { close: async () => void order.push('caching') },
    idempotentAnswers: { close: async () => void order.push('answers') },
    meter: { close: async () => void order.push('meter') },
    limits: { close: async () => void order.push('limits') },
    people: { close: async () => void order.push('people') },
    store: { close: async () => void order.push('store') },
  };
  return { server, order, openTurns };
}

/** What takes requests or works for them. */
const outside = ['http', 'caching', 'engines', 'checks', 'search', 'files', 'connections'];
/** Tests that give the engines a `close` of their own do not find it in the list. */
const withoutEngines = outside.filter((part) => part !== 'engines');
/** What keeps the books, closed when nothing comes any more. */
const inside = ['answers', 'meter', 'limits', 'people', 'store'];

describe('a shutdown', () => {
  it('closes from the outside in', async () => {
    const { server, order } = createServer(Promise.resolve());
    expect(await shutDown(server, 60_000)).toBe(true);
    expect(order).toEqual([...outside, ...inside]);
  });

  it('stops answers that go on for longer than the grace time', async () => {
    const drained = Promise.withResolvers<void>();
    const { server, order } = createServer(drained.promise);
    const stopping = { ...server, engines: { close: async () => drained.resolve() } };
    await shutDown(stopping, 0);
    expect(order).toEqual([...withoutEngines, ...inside]);
  });

  it('keeps the store open until clients that have left are charged', async () => {
    const { server, order, openTurns } = createServer(Promise.resolve());
    const left = Promise.withResolvers<void>();
    openTurns.add(left.promise);
    const engines = {
      // The settlement is written only after the engine was stopped.
      close: async () => {
        setImmediate(() => {
          order.push('settled');
          left.resolve();
        });
      },
    };
    await shutDown({ ...server, engines }, 0);
    expect(order).toEqual([...withoutEngines, 'settled', ...inside]);
  });

  it('waits no longer for a database that does not answer', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { server } = createServer(Promise.resolve());
    const meter = { close: async () => await new Promise<void>(() => undefined) };
    const ended = shutDown({ ...server, meter }, 20_000);
    await vi.runAllTimersAsync();
    expect(await ended).toBe(false);
  });

  it('lets turns end that go on without their client, within the grace time', async () => {
    const { server, order, openTurns } = createServer(Promise.resolve());
    const finished = Promise.withResolvers<void>();
    openTurns.add(finished.promise);
    const stopped = shutDown(server, 60_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual(['http']);
    finished.resolve();
    await stopped;
    expect(order).toEqual([...outside, ...inside]);
  });
});
