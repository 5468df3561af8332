import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface LoopbackHost {
  readonly port: number;
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string;
  /** Every request that arrived, in order. */
  readonly requests: readonly IncomingMessage[];
}

/** A real HTTP server on a free loopback port, closed with the test. */
export async function startHost(listener: RequestListener): Promise<LoopbackHost> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo; // Listening on TCP.
  return { port, origin: `http://127.0.0.1:${port}`, requests };
}
