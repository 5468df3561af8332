import { afterEach, describe, expect, it } from 'vitest';
import { chatRequest } from '../../chat/__fixtures__/chat-request.ts';
import type { ChatRequest } from '../../chat/types.ts';
import type { Engine, EngineEvent, RunOptions } from '../engine.ts';
import {
  answerText,
  encodeEvent,
  type ReceivedRequest,
  startStream,
  startUpstreamServer,
  textChunk,
  type UpstreamServer,
} from './__fixtures__/upstream-server.ts';
import { createOpenAiCompatibleEngine } from './openai-compatible-engine.ts';
import type { OpenAiCompatibleOptions } from './upstream-options.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startServer(
  respond: (request: ReceivedRequest) => void,
  routes?: Parameters<typeof startUpstreamServer>[1],
): Promise<UpstreamServer> {
  const server = await startUpstreamServer(respond, routes);
  cleanups.push(() => server.close());
  return server;
}

function createEngine(baseUrl: string, options: Partial<OpenAiCompatibleOptions> = {}): Engine {
  const engine = createOpenAiCompatibleEngine({ id: 'up', baseUrl, upstreamModel: 'kimi-k2', ...options });
  cleanups.push(() => engine.close());
  return engine;
}

interface Running {
  readonly iterator: AsyncIterator<EngineEvent>;
  readonly controller: AbortController;
}

async function run(
  engine: Engine,
  request: ChatRequest = chatRequest({}),
  options: Partial<RunOptions> = {},
): Promise<Running> {
  const controller = new AbortController();
  const context = { accountId: 1, inferenceId: 'i', signal: controller.signal };
  const prepared = await engine.prepare(request, context);
  const { outputTokensMax } = prepared;
  const events = prepared.run({ outputTokensMax, choices: [0], attempt: 0, ...options });
  return { iterator: events[Symbol.asyncIterator](), controller };
}

async function drain({ iterator }: Running): Promise<EngineEvent[]> {
  const events: EngineEvent[] = [];
  for (let result = await iterator.next(); result.done !== true; result = await iterator.next()) {
    events.push(result.value);
  }
  return events;
}

const textOf = (events: readonly EngineEvent[]): string =>
  events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');

describe('an upstream engine', () => {
  it('streams an answer, event by event, as the upstream sends it', async () => {
    const server = await startServer(({ response }) => {
      startStream(response);
      response.write(textChunk('Hel'));
    });
    const running = await run(createEngine(server.baseUrl));
    const first = await running.iterator.next();
    expect(first.value).toMatchObject({ type: 'text-delta', choice: 0, text: 'Hel' });
    // Only now the upstream goes on, so the first event cannot have waited for it.
    const { response } = server.requests[0] ?? {};
    response?.write(textChunk('lo', 'stop'));
    response?.end('data: [DONE]\n\n');
    const rest = await drain(running);
    expect(rest.map(({ type }) => type)).toEqual(['text-delta', 'choice-finish', 'finish']);
  });

  it('reports usage as the upstream counted it', async () => {
    const server = await startServer(({ response }) => answerText(response, 'a', 'b'));
    const events = await drain(await run(createEngine(server.baseUrl)));
    expect(events.at(-1)).toEqual({
      type: 'finish',
      usage: { promptTokens: 20, cachedTokens: 0, completionTokens: 2, source: 'upstream' },
    });
  });

  it('sends its key and headers, the upstream’s model name and nothing that the caller did not ask for', async () => {
    const server = await startServer(({ response }) => answerText(response, 'x'));
    const engine = createEngine(server.baseUrl, { apiKey: 'sk-up', headers: { 'x-org': 'o1' } });
    await drain(await run(engine));
    const [request] = server.requests;
    expect(request?.headers).toMatchObject({ authorization: 'Bearer sk-up', 'x-org': 'o1' });
    expect(request?.path).toBe('/v1/chat/completions');
    expect(request?.body).toEqual({
      model: 'kimi-k2',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 1024,
      temperature: 0.6,
      top_p: 1,
    });
  });

  it('cuts off calls after the first when the caller forbids them, also where schemas are enforced', async () => {
    const server = await startServer(({ response }) => {
      startStream(response);
      const calls = ['f', 'g'].map((name, index) => ({ index, function: { name, arguments: '{}' } }));
      const choice = { index: 0, delta: { tool_calls: calls }, finish_reason: 'tool_calls' };
      response.end(`${encodeEvent({ choices: [choice] })}data: [DONE]\n\n`);
    });
    const engine = createEngine(server.baseUrl, { capabilities: { schemaEnforced: true } });
    const events = await drain(await run(engine, chatRequest({ isParallelToolCallsAllowed: false })));
    expect(events.filter(({ type }) => type === 'tool-call-start')).toMatchObject([{ index: 0, name: 'f' }]);
    expect(events.at(-2)).toMatchObject({ type: 'choice-finish', reason: 'tool_calls' });
  });

  it('destroys the connection when the client leaves in the middle', async () => {
    const server = await startServer(({ response }) => {
      startStream(response);
      response.write(textChunk('Hel'));
    });
    const running = await run(createEngine(server.baseUrl));
    await running.iterator.next();
    const pending = running.iterator.next();
    running.controller.abort();
    await expect(pending).rejects.toMatchObject({ code: 'client_closed_request' });
    await server.requests[0]?.closed;
  });

  it('destroys the connection when the client leaves before the first byte', async () => {
    const server = await startServer(() => undefined);
    const running = await run(createEngine(server.baseUrl));
    const arrived = server.nextRequest();
    const pending = running.iterator.next();
    const request = await arrived;
    running.controller.abort();
    await expect(pending).rejects.toMatchObject({ code: 'client_closed_request' });
    await request.closed;
  });

  it('destroys the connection when the reader stops', async () => {
    const server = await startServer(({ response }) => {
      startStream(response);
      response.write(textChunk('Hel'));
    });
    const running = await run(createEngine(server.baseUrl));
    await running.iterator.next();
    await running.iterator.return?.();
    await server.requests[0]?.closed;
  });

  it('sends nothing when the client had already left', async () => {
    const server = await startServer(({ response }) => answerText(response, 'x'));
    const controller = new AbortController();
    const engine = createEngine(server.baseUrl);
    const prepared = await engine.prepare(chatRequest({}), {
      accountId: 1,
      inferenceId: 'i',
      signal: controller.signal,
    });
    controller.abort();
    const events = prepared.run({ outputTokensMax: 1, choices: [0], attempt: 0 });
    await expect(events[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'client_closed_request',
    });
    expect(server.requests).toEqual([]);
  });

  it('fails when the upstream’s connection breaks in the middle', async () => {
    const server = await startServer(({ response, socket }) => {
      startStream(response);
      response.write(textChunk('Hel'), () => socket.destroy());
    });
    const running = await run(createEngine(server.baseUrl));
    await running.iterator.next();
    await expect(drain(running)).rejects.toMatchObject({ code: 'upstream_failed' });
    expect(server.requests.length).toBe(1);
  });

  it('is content when the connection breaks after the last choice ended', async () => {
    const server = await startServer(({ response, socket }) => {
      startStream(response);
      response.write(textChunk('Hello', 'stop'), () => socket.destroy());
    });
    const events = await drain(await run(createEngine(server.baseUrl)));
    expect(events.at(-1)).toMatchObject({ type: 'finish', usage: { source: 'estimate' } });
  });

  it('asks again when a kept connection turns out to be dead, and only then', async () => {
    let answeredCount = 0;
    const server = await startServer(({ response, socket }) => {
      answeredCount += 1;
      // The second request meets a server that hangs up without a word, as at the end of a keep-alive.
      if (answeredCount === 2) socket.destroy();
      else answerText(response, 'fine');
    });
    const engine = createEngine(server.baseUrl);
    expect(textOf(await drain(await run(engine)))).toBe('fine');
    expect(textOf(await drain(await run(engine)))).toBe('fine');
    expect(server.requests.length).toBe(3);
  });

  it('does not ask again when a fresh connection breaks: the request may have been worked on', async () => {
    const server = await startServer(({ socket }) => socket.destroy());
    await expect(drain(await run(createEngine(server.baseUrl)))).rejects.toMatchObject({
      code: 'upstream_failed',
    });
    expect(server.requests.length).toBe(1);
  });

  it('is unavailable when nothing listens at its address', async () => {
    const server = await startUpstreamServer(() => undefined);
    await server.close();
    const engine = createEngine(server.baseUrl);
    await expect(drain(await run(engine))).rejects.toMatchObject({ code: 'model_unavailable', status: 503 });
  });

  it.each(['firstByteMs', 'idleMs', 'totalMs'] as const)('gives up when %s is exceeded', async (timeout) => {
    const server = await startServer(({ response }) => {
      if (timeout === 'firstByteMs') return;
      startStream(response);
      response.write(textChunk('Hel'));
    });
    const engine = createEngine(server.baseUrl, { timeouts: { [timeout]: 20 } });
    const arrived = server.nextRequest();
    const drained = drain(await run(engine));
    await expect(drained).rejects.toMatchObject({ code: 'engine_timeout', status: 504 });
    await (await arrived).closed;
  });

  it('refuses more requests than it has connections, and takes them again afterwards', async () => {
    const server = await startServer(({ response, body }) => {
      startStream(response);
      if (body.max_tokens === 2) answerRest(response);
    });
    const answerRest = (response: ReceivedRequest['response']) => {
      response.write(textChunk('x', 'stop'));
      response.end('data: [DONE]\n\n');
    };
    const engine = createEngine(server.baseUrl, { connectionsMax: 1 });
    const first = await run(engine);
    const arrived = server.nextRequest();
    const pending = first.iterator.next();
    await arrived;
    await expect(run(engine)).rejects.toMatchObject({ code: 'engine_overloaded', retryAfterSeconds: 2 });
    first.controller.abort();
    await expect(pending).rejects.toMatchObject({ code: 'client_closed_request' });
    expect(textOf(await drain(await run(engine, chatRequest({ outputTokensMax: 2 }))))).toBe('x');
  });

  it('loses nothing to a reader that is slower than the upstream', async () => {
    const count = 5000;
    const server = await startServer(({ response }) => {
      startStream(response);
      for (let i = 0; i < count; i += 1) response.write(textChunk(`${i};`));
      response.write(textChunk('', 'stop'));
      response.end('data: [DONE]\n\n');
    });
    const { iterator } = await run(createEngine(server.baseUrl));
    let text = '';
    for (let result = await iterator.next(); result.done !== true; result = await iterator.next()) {
      if (result.value.type === 'text-delta') text += result.value.text;
      // The network goes on in between, so the queue fills up, pauses the upstream and lets it go on again.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(text).toBe(Array.from({ length: count }, (_, i) => `${i};`).join(''));
  });

  it('asks for each choice on its own when the upstream knows no `n`', async () => {
    const server = await startServer(({ response, body }) => {
      answerText(response, `seed ${body.seed}`);
    });
    const engine = createEngine(server.baseUrl, { capabilities: { multipleChoices: false } });
    const sampling = { temperature: 1, topP: 1, presencePenalty: 0, frequencyPenalty: 0, seed: 7 };
    const events = await drain(
      await run(engine, chatRequest({ choiceCount: 2, sampling }), { choices: [0, 1] }),
    );
    const texts = [0, 1].map((choice) =>
      textOf(events.filter((event) => 'choice' in event && event.choice === choice)),
    );
    expect(texts).toEqual(['seed 7', 'seed 8']);
    expect(server.requests.every(({ body }) => body.n === undefined)).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: 'finish', usage: { promptTokens: 20, completionTokens: 2 } });
  });

  it('stops every choice when one of them fails', async () => {
    const server = await startServer(({ response, body }) => {
      startStream(response);
      if (body.seed === 8) response.end(encodeEvent({ error: { message: 'no', code: 500 } }));
    });
    const engine = createEngine(server.baseUrl, { capabilities: { multipleChoices: false } });
    const sampling = { temperature: 1, topP: 1, presencePenalty: 0, frequencyPenalty: 0, seed: 7 };
    const running = await run(engine, chatRequest({ choiceCount: 2, sampling }), { choices: [0, 1] });
    await expect(drain(running)).rejects.toMatchObject({ code: 'upstream_failed' });
    for (const { closed, body } of server.requests) if (body.seed !== 8) await closed;
  });

  it('ends its turns when it is closed', async () => {
    const server = await startServer(({ response }) => startStream(response));
    const engine = createEngine(server.baseUrl);
    const running = await run(engine);
    const arrived = server.nextRequest();
    const pending = running.iterator.next();
    await arrived;
    const failed = expect(pending).rejects.toMatchObject({ code: 'engine_failed' });
    await engine.close();
    await failed;
    await engine.close();
  });

  it('reads log probabilities when they were asked for', async () => {
    const server = await startServer(({ response, body }) => {
      expect(body).toMatchObject({ logprobs: true, top_logprobs: 1 });
      startStream(response);
      const entry = { token: 'é', logprob: -0.5, top_logprobs: [{ token: 'e', logprob: -1, bytes: [101] }] };
      const logprobs = { content: [entry] };
      response.write(
        encodeEvent({ choices: [{ index: 0, delta: { content: 'é' }, logprobs, finish_reason: 'stop' }] }),
      );
      response.end('data: [DONE]\n\n');
    });
    const [first] = await drain(
      await run(createEngine(server.baseUrl), chatRequest({ logprobs: { topCount: 1 } })),
    );
    expect(first).toMatchObject({
      logprobs: [
        { token: 'é', bytes: [195, 169], logprob: -0.5, top: [{ token: 'e', bytes: [101], logprob: -1 }] },
      ],
    });
  });
});
