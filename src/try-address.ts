import { once } from 'node:events';
import { createServer } from 'node:net';

/** Whether a server could listen there. Rejects with the system's error, such as `EADDRINUSE`. */
export async function tryAddress(address: { readonly host: string; readonly port: number }): Promise<void> {
  const server = createServer().listen(address);
  // Rejects when `error` comes first.
  await once(server, 'listening');
  const closed = once(server, 'close');
  server.close();
  await closed;
}
