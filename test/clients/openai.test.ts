/** The official OpenAI client against the real server and the real model. */
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { modelName, type RunningServer, startServer } from '../e2e/running-server.ts';

// The model shares the machine with the other tests; nothing here is about its speed.
vi.setConfig({ testTimeout: 120_000 });

let server: RunningServer;
let client: OpenAI;
beforeAll(async () => {
  server = await startServer();
  client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 });
});
afterAll(() => server.stop());

const hello = {
  model: modelName,
  messages: [{ role: 'user' as const, content: 'Hello' }],
  max_tokens: 12,
  // The likeliest answer each time: what a sampled one would be is no client's business.
  temperature: 0,
};

const weatherTool = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    description: 'Weather of a city.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', maxLength: 20 }, unit: { enum: ['C', 'F'] } },
      required: ['city', 'unit'],
      additionalProperties: false,
    },
  },
};
const stockTool = {
  type: 'function' as const,
  function: {
    name: 'get_stock',
    parameters: {
      type: 'object',
      properties: { symbol: { type: 'string', pattern: '^[A-Z]{1,4}$' } },
      required: ['symbol'],
      additionalProperties: false,
    },
  },
};

describe('completions', () => {
  it('have text, a finish reason and usage that adds up', async () => {
    const completion = await client.chat.completions.create(hello);
    expect(completion.id).toMatch(/^chatcmpl-[0-9a-f]{24}$/);
    expect(completion.object).toBe('chat.completion');
    expect(completion.model).toBe('kimi-k2-turbo-preview');
    expect(completion.system_fingerprint).toMatch(/\S/);
    expect(completion.choices[0]?.message.content).toMatch(/\S/);
    expect(completion.choices[0]?.finish_reason).toMatch(/^(stop|length)$/);
    const { usage } = completion;
    expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
    expect(usage?.completion_tokens).toBeLessThanOrEqual(12);
    expect(usage?.prompt_tokens_details?.cached_tokens).toBeGreaterThanOrEqual(0);
  });

  it('give n choices, each with an index of its own', async () => {
    const { choices, usage } = await client.chat.completions.create({
      ...hello,
      n: 3,
      temperature: 1,
      seed: 1,
    });
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    for (const { message } of choices) expect(message.content).toMatch(/\S/);
    expect(usage?.completion_tokens).toBeGreaterThanOrEqual(3);
  });

  it('give the probability of every token, and alternatives in falling order', async () => {
    const completion = await client.chat.completions.create({
      ...hello,
      logprobs: true,
      top_logprobs: 3,
    });
    const choice = completion.choices[0];
    const tokens = choice?.logprobs?.content ?? [];
    expect(tokens.length).toBeGreaterThan(0);
    expect(tokens.map(({ token }) => token).join('')).toBe(choice?.message.content);
    for (const { token, logprob, bytes, top_logprobs: top } of tokens) {
      expect(Buffer.from(bytes ?? []).toString()).toBe(token);
      expect(logprob).toBeLessThanOrEqual(0);
      expect(top).toHaveLength(3);
      expect(top.map((entry) => entry.logprob)).toEqual(
        top.map((entry) => entry.logprob).toSorted((a, b) => b - a),
      );
      // Greedy decoding takes the likeliest.
      expect(top[0]?.token).toBe(token);
    }
  });

  it('stop before a stop string', async () => {
    const { choices } = await client.chat.completions.create({
      ...hello,
      messages: [{ role: 'user', content: 'Count: 1 2 3 4 5 6 7 8 9' }],
      stop: ['3', ' '],
      max_tokens: 40,
    });
    expect(choices[0]?.message.content).not.toMatch(/[ 3]/);
    expect(choices[0]?.finish_reason).toBe('stop');
  });
});

describe('streams', () => {
  it('send the role first, then text, then a reason, then usage when it was asked for', async () => {
    const stream = await client.chat.completions.create({
      ...hello,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: OpenAI.Chat.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
    expect(chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta.content ?? '')).join('')).toMatch(
      /\S/,
    );
    const reasons = chunks.flatMap(({ choices }) =>
      choices.flatMap(({ finish_reason: reason }) => reason ?? []),
    );
    expect(reasons).toEqual([expect.stringMatching(/^(stop|length)$/)]);
    const last = chunks.at(-1);
    expect(last?.choices).toEqual([]);
    expect(last?.usage).toMatchObject({ completion_tokens: expect.any(Number) });
    for (const chunk of chunks.slice(0, -1)) expect(chunk.usage ?? null).toBeNull();
  });

  it('carry the choices of n > 1 side by side', async () => {
    const stream = client.chat.completions.stream({ ...hello, n: 2 });
    const { choices } = await stream.finalChatCompletion();
    expect(choices.map(({ index }) => index)).toEqual([0, 1]);
    for (const { message } of choices) expect(message.content).toMatch(/\S/);
  });

  it('end at once when the caller aborts', async () => {
    const stream = await client.chat.completions.create({
      ...hello,
      messages: [{ role: 'user', content: 'Count from 1 to 500.' }],
      max_tokens: 600,
      stream: true,
    });
    let chunks = 0;
    for await (const _ of stream) if (++chunks === 3) stream.controller.abort();
    expect(chunks).toBeLessThan(100);
    await expect(client.chat.completions.create(hello)).resolves.toBeDefined();
  });
});

describe('tools', () => {
  const ask = {
    ...hello,
    messages: [{ role: 'user' as const, content: 'How is the weather in Paris?' }],
    tools: [weatherTool, stockTool],
    // One call, whose arguments are short by their schemas: the budget ends none.
    parallel_tool_calls: false,
    max_tokens: 200,
  };

  it('are called when one is required, with arguments that fit the schema', async () => {
    const { choices } = await client.chat.completions.create({ ...ask, tool_choice: 'required' });
    expect(choices[0]?.finish_reason).toBe('tool_calls');
    const call = choices[0]?.message.tool_calls?.[0];
    if (call?.type !== 'function') throw new Error('no function was called');
    expect(call.id).toBe(`${call.function.name}:0`);
    expectArguments(call.function);
  });

  it('are called by the name that the caller chose, streamed in fragments', async () => {
    const stream = client.chat.completions.stream({
      ...ask,
      tool_choice: { type: 'function', function: { name: 'get_stock' } },
    });
    const { choices } = await stream.finalChatCompletion();
    expect(choices[0]?.finish_reason).toBe('tool_calls');
    const calls = choices[0]?.message.tool_calls ?? [];
    expect(calls.length).toBeGreaterThan(0);
    for (const call of calls) {
      if (call.type !== 'function') throw new Error('no function was called');
      expect(call.function.name).toBe('get_stock');
      expectArguments(call.function);
    }
  });

  it('are never called with `none`, and freely with `auto`', async () => {
    const none = await client.chat.completions.create({ ...ask, tool_choice: 'none', max_tokens: 24 });
    expect(none.choices[0]?.message.tool_calls ?? []).toEqual([]);
    const auto = await client.chat.completions.create({ ...ask, tool_choice: 'auto' });
    for (const call of auto.choices[0]?.message.tool_calls ?? []) {
      if (call.type === 'function' && auto.choices[0]?.finish_reason === 'tool_calls') {
        expectArguments(call.function);
      }
    }
  });

  it('have their results read in the next turn', async () => {
    const call = {
      id: 'get_weather:0',
      type: 'function' as const,
      function: { name: 'get_weather', arguments: '{"city":"Paris","unit":"C"}' },
    };
    const { choices } = await client.chat.completions.create({
      ...ask,
      messages: [
        ...ask.messages,
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: call.id, content: '21 °C, sunny' },
      ],
      tool_choice: 'none',
      max_tokens: 24,
    });
    expect(choices[0]?.message.content).toMatch(/\S/);
  });

  function expectArguments({ name, arguments: text }: { name: string; arguments: string }): void {
    const value: unknown = JSON.parse(text);
    if (name === 'get_weather') {
      expect(value).toEqual({ city: expect.any(String), unit: expect.stringMatching(/^[CF]$/) });
    } else {
      expect(value).toEqual({ symbol: expect.stringMatching(/^[A-Z]{1,4}$/) });
    }
  }
});

describe('structured output', () => {
  it('follows the schema', async () => {
    const schema = {
      type: 'object',
      properties: { answer: { type: 'integer', minimum: 1, maximum: 12 }, sure: { type: 'boolean' } },
      required: ['answer', 'sure'],
      additionalProperties: false,
    };
    const completion = await client.chat.completions.parse({
      ...hello,
      messages: [{ role: 'user', content: 'What month is May? Answer in JSON.' }],
      response_format: { type: 'json_schema', json_schema: { name: 'month', strict: true, schema } },
      max_tokens: 64,
    });
    const { answer } = JSON.parse(completion.choices[0]?.message.content ?? '');
    expect(answer).toBeGreaterThanOrEqual(1);
    expect(answer).toBeLessThanOrEqual(12);
  });

  it('is one JSON object with `json_object`', async () => {
    const { choices } = await client.chat.completions.create({
      ...hello,
      messages: [{ role: 'user', content: 'Describe a cat as a small JSON object.' }],
      response_format: { type: 'json_object' },
      max_tokens: 120,
    });
    const text = choices[0]?.message.content ?? '';
    if (choices[0]?.finish_reason === 'length') expect(text).toMatch(/^\s*\{/);
    else expect(JSON.parse(text)).toBeTypeOf('object');
  });
});

describe('errors', () => {
  it('become the client’s own classes, with type and code', async () => {
    const stranger = new OpenAI({ baseURL: server.baseUrl, apiKey: 'wrong', maxRetries: 0 });
    await expect(stranger.chat.completions.create(hello)).rejects.toMatchObject({
      constructor: OpenAI.AuthenticationError,
      status: 401,
      type: 'invalid_authentication_error',
    });
    await expect(client.chat.completions.create({ ...hello, model: 'gpt-9' })).rejects.toMatchObject({
      constructor: OpenAI.NotFoundError,
      status: 404,
      code: 'model_not_found',
    });
    await expect(client.chat.completions.create({ ...hello, temperature: 3 })).rejects.toMatchObject({
      constructor: OpenAI.BadRequestError,
      status: 400,
      param: 'temperature',
    });
  });

  it('that cannot be cured by repetition are not repeated', async () => {
    let requests = 0;
    const patient = new OpenAI({
      baseURL: server.baseUrl,
      apiKey: 'wrong',
      maxRetries: 2,
      fetch: (url, init) => {
        requests++;
        return fetch(url, init);
      },
    });
    await expect(patient.chat.completions.create(hello)).rejects.toThrow();
    expect(requests).toBe(1);
  });
});

describe('models', () => {
  it('are listed and found by id', async () => {
    const names: string[] = [];
    for await (const model of client.models.list()) names.push(model.id);
    expect(names).toContain(modelName);
    expect(await client.models.retrieve(modelName)).toMatchObject({ id: modelName, object: 'model' });
  });
});
