/** A real HTTP server on loopback that plays an upstream: what it answers and when is up to the test. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** Resolves when the connection of this request is gone. */
  readonly closed: Promise<unknown>;
}

export interface UpstreamServer {
  readonly baseUrl: string;
  /** Requests for answers so far; probes and counters are not among them. */
  readonly requests: readonly ReceivedRequest[];
  /** Resolves with the next request for an answer. */
  nextRequest(): Promise<ReceivedRequest>;
  close(): Promise<void>;
}

/** An answer with another status than 200. */
export class ErrorAnswer {
  readonly status: number;

  constructor(status: number) {
    this.status = status;
  }
}

type Route = (body: Record<string, unknown>) => unknown;

/** `respond` answers `/chat/completions`; `routes` answer other paths with JSON, everything else is 404. */
export async function startUpstreamServer(
  respond: (request: ReceivedRequest) => void,
  routes: Readonly<Record<string, Route>> = {},
): Promise<UpstreamServer> {
  const requests: ReceivedRequest[] = [];
  let arrived = Promise.withResolvers<ReceivedRequest>();

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => handle(request, response, Buffer.concat(chunks).toString('utf8')));
  });
  function handle(request: IncomingMessage, response: ServerResponse, text: string): void {
    const body: Record<string, unknown> = text === '' ? {} : JSON.parse(text);
    const path = request.url ?? '';
    if (!path.endsWith('/chat/completions')) {
      const answer = routes[path]?.(body) ?? new ErrorAnswer(404);
      const status = answer instanceof ErrorAnswer ? answer.status : 200;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
      return;
    }
    const { socket } = request;
    const received: ReceivedRequest = {
      method: request.method ?? '',
      path,
      headers: request.headers,
      body,
      response,
      socket,
      // Not `once`: it rejects on the reset that a client's abort may look like.
      closed: new Promise((resolve) => socket.on('close', resolve)),
    };
    requests.push(received);
    arrived.resolve(received);
    arrived = Promise.withResolvers();
    respond(received);
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // A TCP server has no other kind of address.

  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests,
    nextRequest: () => arrived.promise,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function startStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
}

export const encodeEvent = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;

/** One chunk with one choice. */
export const textChunk = (content: string, finishReason: string | null = null, index = 0) =>
  encodeEvent({ choices: [{ index, delta: { content }, finish_reason: finishReason }] });

/** A whole streamed answer of one choice. */
export function answerText(response: ServerResponse, ...contents: readonly string[]): void {
  startStream(response);
  for (const content of contents) response.write(textChunk(content));
  response.write(textChunk('', 'stop'));
  const usage = { prompt_tokens: 20, completion_tokens: contents.length, total_tokens: 20 + contents.length };
  response.write(encodeEvent({ choices: [], usage }));
  response.end('data: [DONE]\n\n');
}
