import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildRequest } from '../routes/playground/build-request.ts';
import type { AnswerNode } from '../routes/playground/conversation.ts';
import { createAnswer } from '../routes/playground/create-answer.ts';
import { readAnswer } from '../routes/playground/read-answer.ts';
import { createSettings } from '../routes/playground/settings.ts';
import { streamChat } from './stream-chat.ts';

const chunk = (choices: object[], rest: object = {}): string =>
  `data: ${JSON.stringify({ id: 'chatcmpl-1', choices, ...rest })}\n\n`;
const text = (content: string): string => chunk([{ index: 0, delta: { content }, finish_reason: null }]);

const bodies: Readonly<Record<string, string>> = {
  whole:
    text('Hel') +
    ': keep-alive\n\n' +
    text('lo 🌍') +
    chunk([
      {
        index: 0,
        delta: {},
        finish_reason: 'stop',
        usage: { prompt_tokens: 9, completion_tokens: 3, cached_tokens: 8 },
      },
    ]) +
    chunk([], {
      usage: { prompt_tokens: 9, completion_tokens: 3, cached_tokens: 8 },
      meta: { usage: { credits_used: 1, usd_spent: 0.00003 } },
    }) +
    'data: [DONE]\n\n',
  cut: text('Hel'),
  failed: `${text('Hel')}data: {"error":{"message":"The engine stopped.","type":"server_error","code":"engine_failed","param":null}}\n\n`,
  calls:
    chunk([
      { index: 0, delta: { tool_calls: [{ index: 0, id: 'f:0', function: { name: 'f', arguments: '' } }] } },
    ]) +
    chunk([{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: '{"a":' } }] } }]) +
    chunk([
      {
        index: 0,
        delta: { tool_calls: [{ index: 1, id: 'g:1', function: { name: 'g', arguments: '{}' } }] },
      },
    ]) +
    chunk([{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: '1}' } }] } }]) +
    chunk([{ index: 0, delta: {}, finish_reason: 'tool_calls' }]) +
    'data: [DONE]\n\n',
};

let server: Server;
const fetchOfNode = globalThis.fetch;

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    const body = bodies[String(request.headers['x-case'])];
    if (body === undefined) {
      response.writeHead(403, { 'content-type': 'application/json', 'x-inference-id': 'chatcmpl-9' });
      response.end(
        '{"error":{"message":"No credit.","type":"t","code":"insufficient_balance","param":null}}',
      );
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-inference-id': 'chatcmpl-1' });
    // Byte by byte: events and characters arrive in pieces.
    for (const byte of Buffer.from(body)) response.write(Buffer.of(byte));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  // A page's addresses are relative; Node.js has no page.
  globalThis.fetch = (input, init) => fetchOfNode(`${origin}${String(input)}`, init);
});
afterAll(() => {
  globalThis.fetch = fetchOfNode;
  server.close();
});

const request = buildRequest(createSettings('m'), [
  { id: 'u', parentId: undefined, role: 'user', text: 'Hi' },
]);
const empty = createAnswer({ id: 'a', parentId: 'u', request });

async function ask(name: string): Promise<AnswerNode | undefined> {
  const { signal } = new AbortController();
  let clock = 0;
  const [answer] = await readAnswer({
    answers: [empty],
    signal,
    open: () => streamChat(request, { signal, headers: { 'x-case': name } }),
    now: () => (clock += 10),
    onChange: () => undefined,
  });
  return answer;
}

describe('a streamed answer', () => {
  it('is put together with its numbers, whatever the pieces it comes in', async () => {
    expect(await ask('whole')).toMatchObject({
      state: 'complete',
      text: 'Hello 🌍',
      finishReason: 'stop',
      inferenceId: 'chatcmpl-1',
      numbers: { promptTokens: 9, cachedTokens: 8, completionTokens: 3, costUsd: 0.00003 },
    });
  });

  it('that ends without [DONE] was interrupted, and keeps what had come', async () => {
    expect(await ask('cut')).toMatchObject({
      state: 'failed',
      text: 'Hel',
      failure: { code: 'stream_interrupted', requestId: 'chatcmpl-1' },
    });
  });

  it('tells the server’s own failure on the way', async () => {
    expect(await ask('failed')).toMatchObject({
      state: 'failed',
      text: 'Hel',
      failure: { code: 'engine_failed', message: 'The engine stopped.' },
    });
  });

  it('tells a refusal in the server’s words', async () => {
    expect(await ask('refused')).toMatchObject({
      state: 'failed',
      failure: { code: 'insufficient_balance', message: 'No credit.', requestId: 'chatcmpl-9' },
    });
  });

  it('collects calls that come interleaved', async () => {
    expect((await ask('calls'))?.toolCalls).toEqual([
      { id: 'f:0', name: 'f', argumentsText: '{"a":1}' },
      { id: 'g:1', name: 'g', argumentsText: '{}' },
    ]);
  });
});
