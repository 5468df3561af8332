import { describe, expect, it } from 'vitest';
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
    meter: { close: async () => void order.push('meter') },
    limits: { close: async () => void order.push('limits') },
    people: { close: async () => void order.push('people') },
    store: { close: async () => void order.push('store') },
  };
  return { server, order, openTurns };
}

describe('a shutdown', () => {
  it('closes from the outside in', async () => {
    const { server, order } = createServer(Promise.resolve());
    await shutDown(server, 60_000);
    expect(order).toEqual([
      'http',
      'caching',
      'engines',
      'checks',
      'search',
      'files',
      'connections',
      'meter',
      'limits',
      'people',
      'store',
    ]);
  });

  it('stops answers that go on for longer than the grace time', async () => {
    const drained = Promise.withResolvers<void>();
    const { server, order } = createServer(drained.promise);
    const stopping = { ...server, engines: { close: async () => drained.resolve() } };
    await shutDown(stopping, 0);
    expect(order).toEqual([
      'http',
      'caching',
      'checks',
      'search',
      'files',
      'connections',
      'meter',
      'limits',
      'people',
      'store',
    ]);
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
    expect(order).toEqual([
      'http',
      'caching',
      'checks',
      'search',
      'files',
      'connections',
      'settled',
      'meter',
      'limits',
      'people',
      'store',
    ]);
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
    expect(order).toEqual([
      'http',
      'caching',
      'engines',
      'checks',
      'search',
      'files',
      'connections',
      'meter',
      'limits',
      'people',
      'store',
    ]);
  });
});
