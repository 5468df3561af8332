/**
 * The yardstick: the least that any gateway in our stack must do. Bare Fastify and undici: read the body, parse it,
 * check a bearer key, forward the bytes, pass the answer through and read `usage` from its end. No limits, no
 * money, no log, no rewriting. Run as `node relay.ts <port> <upstream origin> <key>`.
 */
import { createHash } from 'node:crypto';
import fastify, { type FastifyReply } from 'fastify';
import { type Dispatcher, Pool } from 'undici';

const [port = '0', upstream = '', key = ''] = process.argv.slice(2);
const hashKey = (secret: string) => createHash('sha256').update(secret).digest('base64');
const knownKeys = new Set([hashKey(key)]);
const pool = new Pool(upstream, {
  connections: 8_192,
  pipelining: 1,
  bodyTimeout: 0,
  headersTimeout: 60_000,
});
const app = fastify({ logger: false });
let tokensTotal = 0;

function readUsage(text: string): void {
  const match = /"total_tokens":(\d+)/.exec(text);
  tokensTotal += Number(match?.[1] ?? 0);
}

/** Passes an answer on: JSON in one piece, events as they come, with back-pressure. */
function createForwarder(reply: FastifyReply): Dispatcher.DispatchHandler {
  const parts: Buffer[] = [];
  let isStream = false;
  let last: Buffer = Buffer.alloc(0);
  const { raw } = reply;
  return {
    onRequestStart(controller) {
      raw.on('close', () => {
        if (!raw.writableFinished) controller.abort(new Error('the client left'));
      });
      raw.on('drain', () => controller.resume());
    },
    onResponseStart(_controller, status, headers) {
      const type = String(headers['content-type']);
      isStream = type.startsWith('text/event-stream');
      raw.writeHead(status, { 'content-type': type });
    },
    onResponseData(controller, chunk) {
      if (!isStream) return void parts.push(chunk);
      last = chunk;
      if (!raw.write(chunk)) controller.pause();
    },
    onResponseEnd() {
      const body = isStream ? undefined : Buffer.concat(parts);
      readUsage(String(body ?? last));
      raw.end(body);
    },
    onResponseError(_controller, error) {
      if (!raw.headersSent) raw.writeHead(502);
      raw.end(error.message);
    },
  };
}

app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
  done(null, body),
);
app.get('/health', () => ({ status: 'ok', tokens: tokensTotal }));
app.post<{ Body: Buffer }>('/v1/chat/completions', (request, reply) => {
  const secret = request.headers.authorization?.slice('Bearer '.length) ?? '';
  if (!knownKeys.has(hashKey(secret))) return void reply.code(401).send({ error: 'unknown key' });
  const parsed: { model?: unknown } = JSON.parse(request.body.toString());
  if (typeof parsed.model !== 'string') return void reply.code(400).send({ error: 'no model' });
  reply.hijack();
  const headers = { 'content-type': 'application/json' };
  pool.dispatch(
    { path: '/v1/chat/completions', method: 'POST', headers, body: request.body },
    createForwarder(reply),
  );
});

await app.listen({ host: '127.0.0.1', port: Number(port), backlog: 8_192 });
