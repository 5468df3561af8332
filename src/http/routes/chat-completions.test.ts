import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { createBarrier } from '../../engines/scripted/barrier.ts';
import {
  type ScriptStep,
  scriptText,
  scriptToolCalls,
  scriptUsage,
} from '../../engines/scripted/scripted-engine.ts';
import { ApiError } from '../../errors.ts';
import {
  authorization,
  createTestApp,
  type TestApp,
  type TestAppOptions,
  testNowMs,
} from '../__fixtures__/create-test-app.ts';
import { chatBody, dataOf } from '../__fixtures__/wire.ts';

const opened: TestApp[] = [];
function open(options: TestAppOptions): TestApp {
  const testApp = createTestApp(options);
  opened.push(testApp);
  return testApp;
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ app }) => app.close()));
});

const post = ({ app }: TestApp, fields: object = {}, headers: object = {}) =>
  app.inject({
    method: 'POST',
    url: '/v1/chat/completions',
    headers: { ...authorization, ...headers },
    payload: chatBody({ ...fields }),
  });

/** Listens on a free port, for what only a socket shows. */
async function listen({ app }: TestApp): Promise<string> {
  return `${await app.listen({ port: 0, host: '127.0.0.1' })}/v1/chat/completions`;
}

const send = (url: string, fields: object, signal?: AbortSignal) =>
  fetch(url, {
    method: 'POST',
    headers: { ...authorization, 'content-type': 'application/json' },
    body: JSON.stringify(chatBody({ ...fields })),
    ...(signal && { signal }),
  });

describe('POST /v1/chat/completions', () => {
  it('200: answers with one JSON body', async () => {
    const answer = await post(open({ script: () => scriptText('Hel', 'lo') }));
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      id: 'chatcmpl-000000000000000000000001',
      object: 'chat.completion',
      created: testNowMs / 1000,
      model: 'kimi-k2-turbo-preview',
      system_fingerprint: 'fpv0_00000000',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello', refusal: null, annotations: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 10,
        completion_tokens: 2,
        total_tokens: 12,
        cached_tokens: 0,
        prompt_tokens_details: { cached_tokens: 0 },
      },
      meta: { usage: { credits_used: 0, usd_spent: 0 } },
    });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'x-inference-id': 'chatcmpl-000000000000000000000001',
      'x-request-id': 'chatcmpl-000000000000000000000001',
      'x-perigee-model': 'a script',
      'x-aimlapi-credits-used': '0',
      'x-aimlapi-usd-spent': '0.000000000',
    });
  });

  it('200: streams the same answer', async () => {
    const answer = await post(open({ script: () => scriptText('Hel', 'lo') }), { stream: true });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'x-inference-id': 'chatcmpl-000000000000000000000001',
      'x-perigee-model': 'a script',
      'access-control-allow-origin': '*',
    });
    const chunks = dataOf(answer.body);
    expect(chunks.map(({ choices }) => choices)).toEqual([
      [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
      [{ index: 0, delta: { content: 'Hel' }, finish_reason: null }],
      [{ index: 0, delta: { content: 'lo' }, finish_reason: null }],
      [{ index: 0, delta: {}, finish_reason: 'stop', usage: expect.objectContaining({ total_tokens: 12 }) }],
    ]);
    expect(chunks.at(-1)?.meta).toEqual({ usage: { credits_used: 0, usd_spent: 0 } });
    expect(answer.body.endsWith('\n\ndata: [DONE]\n\n')).toBe(true);
  });

  it('200: is the same at its older address', async () => {
    const { app } = open({ script: () => scriptText('x') });
    const answer = await app.inject({
      method: 'POST',
      url: '/chat/completions',
      headers: authorization,
      payload: chatBody(),
    });
    expect(answer.statusCode).toBe(200);
  });

  it('200: returns tool calls', async () => {
    const script = () => scriptToolCalls({ name: 'f', argumentsText: '{"a":1}' });
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const answer = await post(open({ script }), { tools });
    expect(answer.json().choices[0]).toMatchObject({
      message: {
        content: '',
        tool_calls: [{ id: 'f:0', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
      },
      finish_reason: 'tool_calls',
    });
  });

  it('200: returns log probabilities when they were asked for', async () => {
    const logprobs = [{ token: 'x', bytes: [120], logprob: -1, top: [] }];
    const script = (): ScriptStep[] => [
      { type: 'text-delta', choice: 0, text: 'x', logprobs },
      { type: 'choice-finish', choice: 0, reason: 'stop', completionTokens: 1 },
      { type: 'finish', usage: scriptUsage(1) },
    ];
    const answer = await post(open({ script }), { logprobs: true });
    expect(answer.json().choices[0].logprobs).toEqual({
      content: [{ token: 'x', bytes: [120], logprob: -1, top_logprobs: [] }],
      refusal: [],
    });
  });

  it.each([
    ['true', true],
    ['1', true],
    ['false', false],
    [undefined, true],
  ])('200: x-perigee-deterministic: %s wins over the setting', async (value, expected) => {
    const testApp = open({ script: () => scriptText('x'), settings: { isDeterministicDefault: true } });
    await post(testApp, {}, value === undefined ? {} : { 'x-perigee-deterministic': value });
    expect(testApp.engine.runs[0]?.request.isDeterministic).toBe(expected);
  });

  it('200: takes JSON under any content type', async () => {
    const { app } = open({ script: () => scriptText('x') });
    for (const type of [
      undefined,
      '',
      'json',
      'text/plain',
      'application/json;',
      'application/json; charset',
      'application/json; charset=utf-8',
      'application/x-www-form-urlencoded',
    ]) {
      const answer = await app.inject({
        method: 'POST',
        url: '/v1/chat/completions',
        headers: { ...authorization, ...(type !== undefined && { 'content-type': type }) },
        payload: JSON.stringify(chatBody()),
      });
      expect([type, answer.statusCode]).toEqual([type, 200]);
    }
  });

  it('400: names the field at fault', async () => {
    const answer = await post(open({}), { temperature: 3 });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['x-should-retry']).toBe('false');
    expect(answer.json()).toEqual({
      message: 'Body validation error: temperature: must be at most 2',
      path: '/v1/chat/completions',
      requestId: 'chatcmpl-000000000000000000000001',
      statusCode: 400,
      timestamp: '2026-01-02T03:04:05.000Z',
      error: {
        message: 'Invalid request: temperature: must be at most 2',
        type: 'invalid_request_error',
        code: 'invalid_request',
        param: 'temperature',
      },
    });
  });

  it.each([
    ['an empty body', Buffer.alloc(0), 'invalid_json'],
    ['half a body', Buffer.from('{"model":'), 'invalid_json'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'invalid_json'],
    ['JSON that is no object', Buffer.from('[1]'), 'invalid_request'],
  ])('400: refuses %s', async (_name, payload, code) => {
    const { app } = open({});
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/chat/completions',
      headers: { ...authorization, 'content-type': 'application/json' },
      payload,
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error.code).toBe(code);
  });

  it('400: names the exact size of a body that is too large, sent whole or in pieces', async () => {
    const url = await listen(open({}));
    const body = new Uint8Array(5_833_714).fill(0x20);
    const pieces = new ReadableStream({
      start(controller) {
        for (let from = 0; from < body.length; from += 1_000_000)
          controller.enqueue(body.slice(from, from + 1_000_000));
        controller.close();
      },
    });
    const init = { method: 'POST', headers: authorization };
    for (const answer of [
      await fetch(url, { ...init, body }),
      await fetch(url, { ...init, body: pieces, duplex: 'half' }),
    ]) {
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({
        error: {
          code: 'body_too_large',
          message: 'Invalid request: total message size 5833714 exceeds limit 4194304',
        },
      });
    }
  });

  it('400: passes on what the engine refuses, before any byte of a stream', async () => {
    const promptTokens = new ApiError('context_length_exceeded', { message: 'Invalid request: too long' });
    const answer = await post(open({ promptTokens }), { stream: true });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error).toMatchObject({ code: 'context_length_exceeded' });
  });

  it.each([[undefined], ['Bearer'], ['Bearer wrong'], ['Basic abc']])(
    '401: refuses `Authorization: %s` without reading the body',
    async (value) => {
      const { app } = open({});
      const answer = await app.inject({
        method: 'POST',
        url: '/v1/chat/completions',
        headers: value === undefined ? {} : { authorization: value },
        payload: '{',
      });
      expect(answer.statusCode).toBe(401);
      expect(answer.json().error).toMatchObject({
        type: 'invalid_authentication_error',
        code: 'invalid_api_key',
      });
    },
  );

  it.each([
    [['caching'], 'chat'],
    [['model:image'], 'chat'],
    [[], 'chat'],
    [['chat', 'model:other'], 'model:moonshot/kimi-k2-turbo-preview'],
  ])('403: refuses a key whose scopes are %j', async (scopes, missing) => {
    const answer = await post(open({ caller: { scopes } }));
    expect(answer.statusCode).toBe(403);
    expect(answer.json().error).toMatchObject({ type: 'permission_denied_error', code: 'scope_denied' });
    expect(answer.json().message).toContain(missing);
  });

  it.each([
    [['chat']],
    [['model:chat']],
    [['model:moonshot/kimi-k2-turbo-preview']],
    [['web_search', 'chat']],
  ])('200: serves a key whose scopes are %j', async (scopes) => {
    expect((await post(open({ caller: { scopes }, script: () => scriptText('x') }))).statusCode).toBe(200);
  });

  it('404: does not know the model', async () => {
    const answer = await post(open({}), { model: 'gpt-4o' });
    expect(answer.statusCode).toBe(404);
    expect(answer.json().error).toEqual({
      message: 'Not found the model gpt-4o or Permission denied',
      type: 'resource_not_found_error',
      code: 'model_not_found',
      param: 'model',
    });
  });

  it('405: says which method there is', async () => {
    const { app } = open({});
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE'] as const) {
      const answer = await app.inject({ method, url: '/v1/chat/completions' });
      expect([method, answer.statusCode, answer.headers.allow]).toEqual([method, 405, 'POST, OPTIONS']);
    }
  });

  it('415: says how to send a body that is not JSON', async () => {
    const { app } = open({});
    for (const headers of [
      { 'content-type': 'multipart/form-data; boundary=x' },
      { 'content-encoding': 'gzip' },
    ]) {
      const answer = await app.inject({
        method: 'POST',
        url: '/v1/chat/completions',
        headers: { ...authorization, ...headers },
        payload: 'no json',
      });
      expect(answer.statusCode).toBe(415);
      expect(answer.json().error.code).toBe('unsupported_media_type');
    }
  });

  it('429: an overload before the first token is an ordinary answer of a stream too', async () => {
    const error = new ApiError('engine_overloaded', { retryAfterSeconds: 300 });
    const answer = await post(open({ script: () => [{ type: 'fail', error }] }), { stream: true });
    expect(answer.statusCode).toBe(429);
    expect(answer.headers).toMatchObject({ 'retry-after': '60', 'x-should-retry': 'true' });
    expect(answer.json().error.type).toBe('engine_overloaded_error');
  });

  it('500: tells nothing of an unexpected failure, and logs it', async () => {
    const testApp = open({ script: () => [{ type: 'fail', error: new Error('secret detail') }] });
    const answer = await post(testApp);
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('secret');
    const line = testApp.logged.find(({ level }) => level === 'error');
    expect(line?.fields).toMatchObject({ err: { cause: { message: 'secret detail' } } });
  });

  it('a failure after the first chunk is one error event, and no [DONE]', async () => {
    const error = new ApiError('engine_failed');
    const script = (): ScriptStep[] => [
      { type: 'text-delta', choice: 0, text: 'x' },
      { type: 'fail', error },
    ];
    const answer = await post(open({ script }), { stream: true });
    expect(answer.statusCode).toBe(200);
    expect(dataOf(answer.body).at(-1)).toEqual({
      error: { message: error.message, type: 'server_error', code: 'engine_failed', param: null },
    });
    expect(answer.body).not.toContain('[DONE]');
  });
});

describe('a stream of several writes', () => {
  const texts = ['a', 'ß', '日本', '🚀'.repeat(3000), 'z'];
  /** Each text leaves in a write of its own. */
  const script = function* (): Iterable<ScriptStep> {
    for (const text of texts) {
      yield { type: 'text-delta', choice: 0, text };
      const written = createBarrier();
      setTimeout(() => written.open(), 5);
      yield { type: 'wait', barrier: written };
    }
    yield* scriptText('!');
  };
  const textOf = (stream: string) =>
    [...stream.matchAll(/"content":("(?:[^"\\]|\\.)*")/g)].map(([, text = '']) => JSON.parse(text)).join('');

  it('arrives whole, and so does the next answer on the same connection, asked for meanwhile', async () => {
    const url = new URL(await listen(open({ script })));
    const client = new Client(url.origin, { pipelining: 2 });
    const ask = async () => {
      const { body } = await client.request({
        path: url.pathname,
        method: 'POST',
        headers: { ...authorization, 'content-type': 'application/json' },
        body: JSON.stringify(chatBody({ stream: true })),
        idempotent: true,
        blocking: false,
      });
      return body.text();
    };
    const answers = await Promise.all([ask(), ask()]);
    expect(answers.map(textOf)).toEqual([`${texts.join('')}!`, `${texts.join('')}!`]);
    await client.close();
  });

  it('arrives without chunks at a client of HTTP/1.0', async () => {
    const url = new URL(await listen(open({ script })));
    const body = JSON.stringify(chatBody({ stream: true }));
    const socket = connect(Number(url.port), url.hostname);
    socket.write(
      `POST ${url.pathname} HTTP/1.0\r\nauthorization: ${authorization.authorization}\r\n` +
        `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    const answer = Buffer.concat(await socket.toArray()).toString();
    expect(textOf(answer)).toBe(`${texts.join('')}!`);
    expect(answer.toLowerCase()).not.toContain('transfer-encoding');
    expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toMatch(/^data: [^\r]*$/);
    expect(answer.endsWith('data: [DONE]\n\n')).toBe(true);
  });
});

describe('a reader that is behind', () => {
  it('gets everything once it reads', async () => {
    const text = 'x'.repeat(1_000_000);
    const script = (): ScriptStep[] => scriptText(...Array.from({ length: 30 }, () => text));
    const answer = await send(await listen(open({ script })), { stream: true });
    await sleep(50); // Far more was sent than sockets hold.
    expect((await answer.text()).length).toBeGreaterThan(30 * text.length);
  });
});

describe('a slow answer', () => {
  it('is kept open by comments while nothing is generated', async () => {
    const barrier = createBarrier();
    const testApp = open({
      script: () => [{ type: 'wait', barrier }, ...scriptText('x')],
      settings: { keepAliveMs: 5 },
    });
    const answer = await send(await listen(testApp), { stream: true });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe(': keep-alive\n\n');
    barrier.open();
    let rest = '';
    for (let step = await reader?.read(); step?.value !== undefined; step = await reader?.read())
      rest += step.value;
    expect(rest).toContain('data: [DONE]');
  });

  it('reports the progress of a long prompt', async () => {
    const script = (): ScriptStep[] => [
      { type: 'prefill-progress', processedTokens: 512, totalTokens: 2048 },
      ...scriptText('x'),
    ];
    const slow = await post(open({ script, settings: { prefillCommentMs: 0 } }), { stream: true });
    expect(slow.body.startsWith(': prefill 512/2048\n\ndata: {')).toBe(true);
    const fast = await post(open({ script }), { stream: true });
    expect(fast.body).not.toContain('prefill');
  });
});

describe('a client that leaves', () => {
  it.each([{ stream: true }, { stream: false }])('stops the work at once (%j)', async (fields) => {
    const barrier = createBarrier();
    const testApp = open({
      script: () => [
        { type: 'text-delta', choice: 0, text: 'x' },
        { type: 'wait', barrier },
        ...scriptText('y'),
      ],
    });
    const controller = new AbortController();
    const answer = send(await listen(testApp), fields, controller.signal);
    answer.catch(() => 'aborted below');
    await barrier.reached();
    expect(testApp.engine.openRunCount()).toBe(1);
    controller.abort();
    await expect.poll(() => testApp.engine.openRunCount(), { timeout: 10_000 }).toBe(0);
  });

  it('or does not read is dropped, and its work stopped', async () => {
    const text = 'x'.repeat(1_000_000);
    const script = function* (): Iterable<ScriptStep> {
      for (let i = 0; i < 1000; i++) yield { type: 'text-delta', choice: 0, text };
    };
    const testApp = open({ script, settings: { readerStallMs: 20 } });
    const answer = await send(await listen(testApp), { stream: true });
    await expect.poll(() => testApp.engine.openRunCount(), { timeout: 10_000 }).toBe(0);
    await expect(answer.text()).rejects.toThrow();
  });
});
