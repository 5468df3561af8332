import { afterEach, describe, expect, it } from 'vitest';
import { chatRequest, functionTool } from '../../chat/__fixtures__/chat-request.ts';
import type { Engine } from '../engine.ts';
import { ErrorAnswer, startUpstreamServer, type UpstreamServer } from './__fixtures__/upstream-server.ts';
import { createOpenAiCompatibleEngine } from './openai-compatible-engine.ts';
import type { OpenAiCompatibleOptions } from './upstream-options.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server that only answers beside `/chat/completions`. */
async function startServer(routes?: Parameters<typeof startUpstreamServer>[1]): Promise<UpstreamServer> {
  const server = await startUpstreamServer(({ response }) => response.writeHead(500).end(), routes);
  cleanups.push(() => server.close());
  return server;
}

function createEngine(baseUrl: string, options: Partial<OpenAiCompatibleOptions> = {}): Engine {
  const engine = createOpenAiCompatibleEngine({ id: 'up', baseUrl, upstreamModel: 'kimi-k2', ...options });
  cleanups.push(() => engine.close());
  return engine;
}

describe('an upstream’s health', () => {
  const models = {
    data: [
      { id: 'other', max_model_len: 1 },
      { id: 'kimi-k2', max_model_len: 131_072 },
    ],
  };

  /** Health has no event: it is looked at as `/ready` looks at it, until it says what is expected. */
  async function untilState(engine: Engine, state: string): Promise<void> {
    while (engine.health().state !== state) await new Promise((resolve) => setImmediate(resolve));
  }

  it('is loading until the upstream answered, and its window is what the upstream says', async () => {
    const server = await startServer({ '/v1/models': () => models });
    const engine = createEngine(server.baseUrl);
    expect(engine.health().state).toBe('loading');
    await untilState(engine, 'ready');
    expect(engine.backing()).toMatchObject({
      weights: 'kimi-k2',
      contextTokens: 131_072,
      isSchemaEnforced: false,
    });
  });

  it('believes the operator about the window', async () => {
    const server = await startServer({ '/v1/models': () => models });
    const engine = createEngine(server.baseUrl, { contextTokens: 262_144 });
    await untilState(engine, 'ready');
    expect(engine.backing().contextTokens).toBe(262_144);
  });

  it('is ready on a server without a list of models, and failed where nothing listens', async () => {
    const server = await startServer();
    await untilState(createEngine(server.baseUrl), 'ready');
    const gone = await startUpstreamServer(() => undefined);
    await gone.close();
    const engine = createEngine(gone.baseUrl);
    await untilState(engine, 'failed');
    expect(engine.health()).toMatchObject({ detail: expect.stringContaining('Check that it runs') });
  });

  it.each([
    [401, 'failed', 'Check its api_key'],
    [403, 'failed', 'Check its api_key'],
    [500, 'failed', 'answers 500'],
    [503, 'loading', 'still loading'],
  ])('says what a status of %i means', async (status, state, detail) => {
    const probed = Promise.withResolvers<void>();
    const server = await startServer({
      '/v1/models': () => {
        probed.resolve();
        return new ErrorAnswer(status);
      },
    });
    const engine = createEngine(server.baseUrl);
    await probed.promise;
    while (!JSON.stringify(engine.health()).includes(detail)) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(engine.health().state).toBe(state);
  });

  it('looks again on its own, and sees a server that came back', async () => {
    let isUp = false;
    const server = await startServer({ '/v1/models': () => (isUp ? models : new ErrorAnswer(500)) });
    const engine = createEngine(server.baseUrl, { probeIntervalMs: 1 });
    await untilState(engine, 'failed');
    isUp = true;
    await untilState(engine, 'ready');
    isUp = false;
    await untilState(engine, 'failed');
  });

  it('looks at once when a turn failed, and believes a turn that succeeded', async () => {
    let isUp = true;
    const server = await startServer({ '/v1/models': () => (isUp ? models : new ErrorAnswer(500)) });
    const engine = createEngine(server.baseUrl);
    await untilState(engine, 'ready');
    isUp = false;
    const context = { accountId: 1, inferenceId: 'i', signal: new AbortController().signal };
    const prepared = await engine.prepare(chatRequest({}), context);
    const events = prepared.run({ outputTokensMax: 1, choices: [0], attempt: 0 });
    await expect(events[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'upstream_failed' });
    await untilState(engine, 'failed');
  });

  it('is told the window by llama-server, as it was started', async () => {
    const server = await startServer({
      '/v1/models': () => ({ data: [{ id: 'kimi-k2', meta: { n_ctx_train: 131_072 } }] }),
      '/props': () => ({ default_generation_settings: { n_ctx: 2048 } }),
    });
    const engine = createEngine(server.baseUrl, { tokenizer: 'llama-server' });
    await untilState(engine, 'ready');
    expect(engine.backing().contextTokens).toBe(2048);
  });
});

describe('the prompt of an upstream turn', () => {
  const context = { accountId: 1, inferenceId: 'i', signal: new AbortController().signal };

  it('is an upper estimate where the upstream cannot count', async () => {
    const server = await startServer();
    const prepared = await createEngine(server.baseUrl).prepare(chatRequest({}), context);
    expect(prepared.isPromptCountExact).toBe(false);
    expect(prepared.promptTokens).toBeGreaterThan(10);
    expect(prepared.outputTokensMax).toBe(1024);
  });

  it('is counted by vLLM with the tools, and its room is bounded', async () => {
    const asked: unknown[] = [];
    const server = await startServer({
      '/tokenize': (body) => {
        asked.push(body);
        return { count: 90, max_model_len: 100 };
      },
    });
    const engine = createEngine(server.baseUrl, { tokenizer: 'vllm', contextTokens: 100 });
    const request = chatRequest({ tools: [functionTool('f', undefined)] });
    const prepared = await engine.prepare(request, context);
    expect(prepared).toMatchObject({ promptTokens: 90, isPromptCountExact: true, outputTokensMax: 10 });
    expect(asked).toMatchObject([
      { model: 'kimi-k2', messages: [{ role: 'user' }], tools: [{ type: 'function' }] },
    ]);
  });

  it('is counted by llama-server through its template', async () => {
    const server = await startServer({
      '/apply-template': () => ({ prompt: '<user>Hello' }),
      '/tokenize': ({ content }) => ({ tokens: Array.from(String(content)) }),
    });
    const engine = createEngine(server.baseUrl, { tokenizer: 'llama-server' });
    expect(await engine.prepare(chatRequest({}), context)).toMatchObject({ promptTokens: 11 });
  });

  it('is refused with both figures when it fills the window', async () => {
    const server = await startServer({ '/tokenize': () => ({ count: 269_030 }) });
    const engine = createEngine(server.baseUrl, { tokenizer: 'vllm', contextTokens: 262_144 });
    await expect(engine.prepare(chatRequest({}), context)).rejects.toMatchObject({
      code: 'context_length_exceeded',
      message:
        'Invalid request: Your request exceeded model token limit: 262144 (requested: 269030). The prompt has 269030 tokens.',
    });
  });

  it('is refused, as on the embedded engine, when the output that was asked for has no room', async () => {
    const server = await startServer({ '/tokenize': () => ({ count: 90 }) });
    const engine = createEngine(server.baseUrl, { tokenizer: 'vllm', contextTokens: 100 });
    await expect(engine.prepare(chatRequest({ outputTokensMax: 11 }), context)).rejects.toMatchObject({
      code: 'context_length_exceeded',
      param: 'max_tokens',
    });
    expect(await engine.prepare(chatRequest({ outputTokensMax: 10 }), context)).toMatchObject({
      outputTokensMax: 10,
    });
  });

  it('fails clearly when the counter does not count', async () => {
    const server = await startServer({ '/tokenize': () => ({ tokens: 'many' }) });
    const engine = createEngine(server.baseUrl, { tokenizer: 'vllm' });
    await expect(engine.prepare(chatRequest({}), context)).rejects.toMatchObject({ code: 'upstream_failed' });
  });
});
