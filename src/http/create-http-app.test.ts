import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { createBarrier } from '../engines/scripted/barrier.ts';
import { scriptText } from '../engines/scripted/scripted-engine.ts';
import {
  authorization,
  createTestApp,
  type TestApp,
  type TestAppOptions,
} from './__fixtures__/create-test-app.ts';
import { chatBody } from './__fixtures__/wire.ts';

const opened: TestApp[] = [];
function open(options: TestAppOptions = {}): TestApp {
  const testApp = createTestApp(options);
  opened.push(testApp);
  return testApp;
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ app }) => app.close()));
});

describe('every answer', () => {
  it('has an inference id, and the caller’s own id when that is well formed', async () => {
    const { app } = open();
    for (const [sent, echoed] of [
      ['Run.7:a_b-c', 'Run.7:a_b-c'],
      ['x'.repeat(128), 'x'.repeat(128)],
      ['x'.repeat(129), undefined],
      ['no spaces', undefined],
      ['', undefined],
    ]) {
      const answer = await app.inject({ url: '/health', headers: { 'x-client-request-id': sent } });
      expect(answer.headers['x-inference-id']).toMatch(/^req-[0-9a-f]{24}$/);
      expect(answer.headers['x-client-request-id']).toBe(echoed);
    }
  });

  it.each([
    ['GET', '/nothing', 404, 'route_not_found'],
    ['POST', '/v1/nothing', 404, 'route_not_found'],
    ['OPTIONS', '/nothing', 404, 'route_not_found'],
    ['POST', '/v1/models', 405, 'method_not_allowed'],
    ['DELETE', '/health', 405, 'method_not_allowed'],
    ['GET', '/%zz', 400, 'invalid_request'],
  ] as const)('%s %s: %i in our shape', async (method, url, status, code) => {
    const { app } = open();
    const answer = await app.inject({
      method,
      url: `${url}?secret=1`,
      payload: method === 'POST' ? '{' : '',
    });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['x-inference-id']).toBeTypeOf('string');
    expect(answer.headers['x-should-retry']).toBe('false');
    expect(answer.json()).toEqual({
      message: expect.any(String),
      path: url,
      requestId: answer.headers['x-inference-id'],
      statusCode: status,
      timestamp: '2026-01-02T03:04:05.000Z',
      error: { message: expect.any(String), type: expect.any(String), code, param: null },
    });
  });

  it('names the address of chat completions to clients of other dialects', async () => {
    const answer = await open().app.inject({ method: 'POST', url: '/v1/responses', payload: {} });
    expect(answer.json().message).toContain('POST /v1/chat/completions');
  });

  it('is in our shape even when the request is not HTTP', async () => {
    const { app } = open();
    const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
    const socket = connect(Number(port), '127.0.0.1');
    socket.end('nonsense\r\n\r\n');
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
      statusCode: 400,
      error: { param: null },
    });
  });

  it('says so when the Host header is missing, and ignores an expectation that it does not know', async () => {
    const { app } = open();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = new URL(app.listeningOrigin);
    const ask = async (headers: string): Promise<string> => {
      const socket = connect(Number(port), '127.0.0.1');
      socket.end(`GET /health HTTP/1.1\r\n${headers}connection: close\r\n\r\n`);
      return await text(socket);
    };
    expect(await ask('')).toMatch(/^HTTP\/1\.1 400 [\s\S]*no Host header/);
    expect(await ask('host: here\r\nexpect: a-miracle\r\n')).toMatch(/^HTTP\/1\.1 200 [\s\S]*"status":"ok"/);
  });

  it('is logged once when it is a stream too', async () => {
    const { app, logged } = open({ script: () => scriptText('x') });
    const payload = chatBody({ stream: true });
    await app.inject({ method: 'POST', url: '/v1/chat/completions', headers: authorization, payload });
    await expect.poll(() => logged).toHaveLength(1);
    expect(logged[0]?.fields).toMatchObject({ status: 200, accountId: 1, keyPrefix: 'a-key-th' });
  });

  it('is logged once, without query, headers or body', async () => {
    const { app, logged } = open();
    await app.inject({ url: '/health?token=secret', headers: { authorization: 'Bearer secret' } });
    await expect.poll(() => logged).toHaveLength(1);
    expect(logged[0]?.fields).toMatchObject({ method: 'GET', path: '/health', status: 200 });
    expect(JSON.stringify(logged)).not.toContain('secret');
  });
});

describe('closing', () => {
  it('lets a running answer end, and waits for no connection that its client keeps', async () => {
    const barrier = createBarrier();
    const { app } = open({
      script: () => [
        { type: 'text-delta', choice: 0, text: 'first' },
        { type: 'wait', barrier },
        ...scriptText('last'),
      ],
    });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const agent = new Agent({ keepAlive: true });
    const asked = request(`${url}/v1/chat/completions`, { agent, method: 'POST', headers: authorization });
    asked.end(JSON.stringify(chatBody({ stream: true })));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]; // What `response` carries.
    const closed = app.close();
    barrier.open();
    expect(await text(answer)).toMatch(/first.*last.*\[DONE\]/s);
    // Kept alive, it would outlast the test's time limit.
    await closed;
    agent.destroy();
  });
});

describe('web pages of other origins', () => {
  const preflight = {
    method: 'OPTIONS',
    url: '/v1/chat/completions',
    headers: {
      origin: 'https://page.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-stainless-os',
    },
  } as const;

  it('may call, read our headers, and never send credentials', async () => {
    const answer = await open().app.inject(preflight);
    expect(answer.statusCode).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST, OPTIONS',
      'access-control-allow-headers': 'authorization,content-type,x-stainless-os',
    });
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    for (const name of [
      'x-inference-id',
      'x-client-request-id',
      'x-aimlapi-credits-used',
      'x-aimlapi-usd-spent',
    ]) {
      expect(answer.headers['access-control-expose-headers']).toContain(name);
    }
  });

  it('read errors too', async () => {
    const answer = await open().app.inject({ method: 'POST', url: '/v1/chat/completions', payload: {} });
    expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([401, '*']);
  });

  it('are refused when they are not among the configured origins', async () => {
    const { app } = open({ settings: { corsOrigins: ['https://page.example'] } });
    const allowed = await app.inject(preflight);
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': 'https://page.example',
      vary: 'Origin',
    });
    const refused = await app.inject({
      ...preflight,
      headers: { ...preflight.headers, origin: 'https://other.example' },
    });
    expect(refused.headers['access-control-allow-origin']).toBeUndefined();
    expect(refused.headers['access-control-allow-headers']).toBeUndefined();
  });
});
