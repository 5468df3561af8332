/** Canaries: texts that callers and operators trust us with are sent through every door, and searched in every sink. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PerigeeProcess, startPerigee } from '../page-examples/start-perigee.ts';

const tail = 'Xq7fWm2Kp9Rt4Vz8-0123456789-0123456789';
const canaries = {
  apiKey: `canary-key-${tail}`,
  managementKey: `other-canary-${tail}`,
  wrongKey: `wrong-canary-${tail}`,
  password: `password-canary-${tail}`,
  upstreamKey: `upstream-canary-${tail}`,
  metricsToken: `metrics-canary-${tail}`,
  cookie: `cookie-canary-${tail}`,
  prompt: `prompt-canary-${tail}`,
  toolResult: `tool-canary-${tail}`,
  answer: `answer-canary-${tail}`,
} as const;

/** Answers with a canary, or fails in ways that repeat what it was sent. */
function createUpstream(): Server {
  return createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      response.setHeader('content-type', 'application/json');
      if (request.url === '/v1/models') {
        response.end(JSON.stringify({ data: [{ id: 'theirs', max_model_len: 4_096 }] }));
      } else if (body.includes('break-before')) {
        response.statusCode = 500;
        response.end(JSON.stringify({ error: { message: `${request.headers.authorization} sent ${body}` } }));
      } else if (body.includes('refuse-it')) {
        response.statusCode = 400;
        response.end(JSON.stringify({ error: { message: `cannot read ${body}` } }));
      } else {
        response.setHeader('content-type', 'text/event-stream');
        const delta = JSON.stringify({
          choices: [{ index: 0, delta: { content: canaries.answer }, finish_reason: null }],
        });
        const end = body.includes('break-within')
          ? `data: {"broken ${canaries.answer}\n\n`
          : 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
        response.end(`data: ${delta}\n\n${end}`);
      }
    });
  });
}

let upstream: Server;
let server: PerigeeProcess;
let dataDir = '';
/** Bodies of answers that were errors. */
const errors: string[] = [];

beforeAll(async () => {
  upstream = createUpstream();
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const { port } = upstream.address() as AddressInfo; // It listens on a port, not on a pipe.
  dataDir = mkdtempSync(path.join(tmpdir(), 'perigee-canary-'));
  server = await startPerigee({
    dataDir,
    environment: {
      PERIGEE_THREADS: '1',
      PERIGEE_LOG_LEVEL: 'debug',
      PERIGEE_BOOTSTRAP_API_KEY: canaries.apiKey,
      PERIGEE_BOOTSTRAP_MANAGEMENT_KEY: canaries.managementKey,
      PERIGEE_BOOTSTRAP_PASSWORD: canaries.password,
      PERIGEE_METRICS_TOKEN: canaries.metricsToken,
      PERIGEE_ENGINES: JSON.stringify({
        there: {
          kind: 'openai-compatible',
          base_url: `http://127.0.0.1:${port}/v1`,
          model: 'theirs',
          api_key: canaries.upstreamKey,
        },
      }),
      PERIGEE_MODELS: JSON.stringify({ 'acme/own': { engine: 'there' } }),
    },
  });
  await server.ready;
}, 60_000);

afterAll(async () => {
  await server.stop();
  upstream.close();
  upstream.closeAllConnections();
  rmSync(dataDir, { recursive: true, force: true });
});

async function send(url: string, init: RequestInit & { readonly secret?: string } = {}): Promise<string> {
  const { secret = canaries.apiKey, ...rest } = init;
  const answer = await fetch(`${server.url}${url}`, {
    ...rest,
    headers: {
      authorization: `Bearer ${secret}`,
      'content-type': 'application/json',
      cookie: `session=${canaries.cookie}`,
      ...rest.headers,
    },
  });
  const text = await answer.text();
  if (answer.status >= 400) errors.push(text);
  return text;
}

const chat = (content: string, fields: object = {}, secret: string = canaries.apiKey) =>
  send('/v1/chat/completions', {
    method: 'POST',
    secret,
    body: JSON.stringify({ model: 'acme/own', messages: [{ role: 'user', content }], ...fields }),
  });

/** Every door: answers, streams, refusals of each kind, broken bodies, broken upstreams, platform, metrics. */
async function useEverything(): Promise<void> {
  const { prompt, toolResult, wrongKey, managementKey, metricsToken } = canaries;
  expect(await chat(prompt)).toContain(canaries.answer);
  expect(await chat(prompt, { stream: true })).toContain(canaries.answer);
  for (const kind of ['break-before', 'refuse-it', 'break-within']) {
    await chat(`${kind} ${prompt}`);
    await chat(`${kind} ${prompt}`, { stream: true });
  }
  await chat(prompt, {}, wrongKey);
  await chat(prompt, {}, managementKey);
  await chat(prompt, { temperature: prompt });
  await chat(prompt, { messages: [{ role: prompt, content: prompt }] });
  await chat(prompt, { messages: [{ role: 'tool', tool_call_id: 'none', content: toolResult }] });
  await chat(prompt.repeat(2_000));
  await chat(prompt, {
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: prompt } } },
  });
  await send('/v1/chat/completions', { method: 'POST', body: `{"messages": "${prompt}` });
  await send(`/v2/usage?period=1h&key_prefix=${prompt}`);
  await send('/v2/logs?period=1h');
  await send('/v2/billing/transactions');
  await send('/v1/keys', { method: 'POST', secret: managementKey, body: JSON.stringify({ limit: prompt }) });
  await send('/metrics', { secret: metricsToken });
  await send('/metrics', { secret: wrongKey, headers: { 'x-forwarded-for': '192.0.2.7' } });
}

function findCanaries(text: string): string[] {
  return Object.entries(canaries).flatMap(([name, canary]) => (text.includes(canary) ? [name] : []));
}

describe('no key, prompt or answer', () => {
  it('is in a log, an error, a metric or a file', { timeout: 60_000 }, async () => {
    await useEverything();
    const figures = await send('/metrics', { secret: canaries.metricsToken });
    expect(figures).toContain('perigee_requests_total');
    const logs = await send('/v2/logs?period=1h&limit=100');
    expect(logs).toContain('succeeded');
    const files = readdirSync(dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name));
    expect(files.map((file) => path.basename(file))).toContain('perigee.db');
    // The test's own canaries prove that the search finds what is there.
    expect(findCanaries(JSON.stringify(canaries))).toHaveLength(Object.keys(canaries).length);
    expect(errors.length).toBeGreaterThan(10);
    expect({
      output: findCanaries(server.output()),
      // A caller is told which of its own values was wrong.
      errors: findCanaries(errors.join('\n')).filter((name) => name !== 'prompt'),
      metrics: findCanaries(figures),
      logs: findCanaries(logs),
      files: files.filter((file) => findCanaries(readFileSync(file, 'latin1')).length > 0),
    }).toEqual({ output: [], errors: [], metrics: [], logs: [], files: [] });
    // It was really logged, failures with their place in the code.
    expect(server.output()).toMatch(/"code":"upstream_failed".*"stack":" {4}at /);
  });
});
