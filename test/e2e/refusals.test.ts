/** What the server says when it cannot answer: no model, a prompt that does not fit, a queue that is full. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPerigee } from '../page-examples/start-perigee.ts';
import { longAnswer, postChat, readError, readPayloads } from './chat-wire.ts';
import { type RunningServer, startServer } from './running-server.ts';

const hello = { messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 };

describe('a server without a model', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'perigee-no-model-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('lives, says why it is not ready, and answers chat with 503 and what to do', async () => {
    const missing = path.join(folder, 'missing.gguf');
    const server = await startPerigee({ dataDir: folder, environment: { PERIGEE_MODEL: missing } });
    try {
      const health = await fetch(`${server.url}/health`);
      expect(health.status).toBe(200);
      const ready = await fetch(`${server.url}/ready`);
      expect(ready.status).toBe(503);
      expect(await ready.text()).toContain('missing.gguf');
      const chat = await postChat({ baseUrl: `${server.url}/v1`, apiKey: server.apiKey }, hello);
      expect(chat.status).toBe(503);
      expect(await chat.json()).toMatchObject({
        error: {
          type: 'server_unavailable',
          code: 'model_unavailable',
          message: expect.stringMatching(/missing\.gguf.*perigee doctor/s),
        },
      });
    } finally {
      await server.stop();
    }
  }, 60_000);
});

describe('a server at its limits', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({
      PERIGEE_CONTEXT_TOKENS: '512',
      PERIGEE_KV_CELLS: '512',
      PERIGEE_QUEUE_LENGTH_MAX: '2',
    });
  });
  afterAll(() => server.stop());

  it('refuses a prompt beyond the window with the exact counts', async () => {
    const words = 'one two three four five six seven eight nine ten '.repeat(80);
    const response = await postChat(server, { messages: [{ role: 'user', content: words }] });
    expect(response.status).toBe(400);
    const error = await readError(response);
    expect(error).toMatchObject({ type: 'invalid_request_error', code: 'context_length_exceeded' });
    const [, window, requested] = /token limit: (\d+) \(requested: (\d+)\)/.exec(error.message) ?? [];
    expect(Number(window)).toBe(512);
    // 800 words of one token each, the template around them, and at least one token of output.
    expect(Number(requested)).toBeGreaterThan(800);
    expect(Number(requested)).toBeLessThan(860);
  });

  it('refuses an output budget that the window cannot hold, and accepts one token less', async () => {
    const refused = await postChat(server, { ...hello, max_tokens: 512 });
    expect(refused.status).toBe(400);
    const error = await readError(refused);
    const requested = Number(/requested: (\d+)/.exec(error.message)?.[1]);
    const largest = 512 - (requested - 512);
    const tooMuch = await postChat(server, { ...hello, max_tokens: largest + 1 });
    expect(tooMuch.status).toBe(400);
    const accepted = await postChat(server, { ...hello, max_tokens: largest });
    expect(accepted.status).toBe(200);
  }, 60_000);

  it('answers 429 with Retry-After beyond the queue, and answers again when the queue is gone', async () => {
    const leave = new AbortController();
    const large = { ...hello, ...longAnswer(180), max_tokens: 440 };
    const open = () => postChat(server, { ...large, stream: true }, { signal: leave.signal });
    const running = readPayloads(await open());
    await running.next(); // It runs, and holds nearly all of the cache.
    const refused = await takeFirst(10, Array.from({ length: 12 }, open));
    for (const answer of refused) {
      expect(answer.status).toBe(429);
      const seconds = Number(answer.headers.get('retry-after'));
      expect(seconds).toBeGreaterThanOrEqual(1);
      expect(seconds).toBeLessThanOrEqual(60);
      expect(await answer.json()).toMatchObject({ error: { type: 'engine_overloaded_error' } });
    }
    leave.abort();
    await expect(drain(running)).rejects.toThrow();
    const after = await postChat(server, hello);
    expect(after.status).toBe(200);
  }, 60_000);
});

/** The first answers to arrive; those that are still waiting in the queue are left behind. */
function takeFirst(count: number, requests: readonly Promise<Response>[]): Promise<Response[]> {
  const answers: Response[] = [];
  return new Promise((resolve) => {
    for (const request of requests) {
      request.then(
        (answer) => {
          if (answers.push(answer) === count) resolve(answers);
        },
        () => undefined, // Aborted at the end of the test.
      );
    }
  });
}

async function drain(payloads: AsyncIterable<string>): Promise<void> {
  for await (const payload of payloads) expect(payload).not.toBe('[DONE]');
}
