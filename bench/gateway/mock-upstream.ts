/**
 * The upstream of the gateway benchmark: an OpenAI-shaped server that thinks about nothing, so that the gateway in
 * front of it is what is measured. A forked process; it sends its port, then takes a MockBehaviour at any time.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { MockBehaviour } from './load-protocol.ts';

let behaviour: MockBehaviour = { events: 16, intervalMs: 0, isIdle: false };

const head = { id: 'chatcmpl-690895f53d8b644f83fe679e', created: 1_762_170_357, model: 'mock' };
const usage = { prompt_tokens: 10, completion_tokens: 16, total_tokens: 26, cached_tokens: 0 };
const sentence = 'Hi there! How can I help you today? ';

const completion = JSON.stringify({
  ...head,
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: sentence.repeat(4) }, finish_reason: 'stop' }],
  usage,
});

const encodeChunk = (choice: object, extra: object = {}) =>
  `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [choice], ...extra })}\n\n`;

const roleEvent = encodeChunk({ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null });
const contentEvent = encodeChunk({ index: 0, delta: { content: ' token' }, finish_reason: null });
const lastEvents = `${encodeChunk({ index: 0, delta: {}, finish_reason: 'stop' }, { usage })}data: [DONE]\n\n`;

function stream(response: ServerResponse): void {
  const { events, intervalMs, isIdle } = behaviour;
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  if (isIdle) {
    response.write(roleEvent + contentEvent);
    return;
  }
  if (intervalMs === 0) {
    writeBurst(response, events);
    return;
  }
  response.write(roleEvent);
  let left = events;
  const timer = setInterval(() => {
    if (left-- > 0) response.write(contentEvent);
    else response.end(lastEvents);
  }, intervalMs);
  response.on('close', () => clearInterval(timer));
}

/** Pieces of 16 events, as fast as the reader takes them. */
function writeBurst(response: ServerResponse, events: number): void {
  const piece = contentEvent.repeat(16);
  let left = Math.ceil(events / 16);
  response.write(roleEvent);
  const writeOn = () => {
    while (left-- > 0) if (!response.write(piece)) return void response.once('drain', writeOn);
    response.end(lastEvents);
  };
  writeOn();
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    if (Buffer.concat(parts).includes('"stream":true')) return stream(response);
    response.writeHead(200, { 'content-type': 'application/json' }).end(completion);
  });
});
server.keepAliveTimeout = 60_000;

process.on('message', (message) => {
  behaviour = message as MockBehaviour; // The only message that the benchmark sends.
});
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', 8_192, () => {
  const address = server.address();
  if (address !== null && typeof address !== 'string') process.send?.({ port: address.port });
});
