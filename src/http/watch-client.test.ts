import { once } from 'node:events';
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { toApiError } from '../errors.ts';
import { watchClient } from './watch-client.ts';

/** An answer that its client has left unfinished, and the signal that watches over it since before or after. */
async function leave(watchesSince: 'before' | 'after'): Promise<AbortSignal> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo; // Listening on TCP.
  const client = request({ host: '127.0.0.1', port });
  client.on('error', () => undefined);
  client.end();
  const [, answer] = (await once(server, 'request')) as [unknown, ServerResponse]; // The event's own arguments.
  const watched = watchesSince === 'before' ? watchClient(answer) : undefined;
  const closed = once(answer, 'close');
  client.destroy();
  await closed;
  return watched ?? watchClient(answer);
}

it.each(['before', 'after'] as const)(
  'work that stops because its client left (%s) says so, and has not failed',
  async (since) => {
    const signal = await leave(since);
    expect(signal.aborted).toBe(true);
    expect(toApiError(signal.reason).code).toBe('client_closed_request');
  },
);
