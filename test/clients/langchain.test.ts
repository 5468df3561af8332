/** LangChain's OpenAI binding against the real server and the real model. */
import { AIMessageChunk, HumanMessage, type UsageMetadata } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { modelName, type RunningServer, startServer } from '../e2e/running-server.ts';

// The model shares the machine with the other tests; nothing here is about its speed.
vi.setConfig({ testTimeout: 120_000 });

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const connect = (
  options: { maxTokens?: number; model?: string; apiKey?: string; temperature?: number } = {},
) =>
  new ChatOpenAI({
    model: modelName,
    apiKey: server.apiKey,
    maxTokens: 16,
    maxRetries: 0,
    // The likeliest answer each time: what a sampled one would be is no client's business.
    temperature: 0,
    ...options,
    configuration: { baseURL: server.baseUrl },
  });

const weatherTool = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    description: 'Weather of a city.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', maxLength: 20 } },
      required: ['city'],
      additionalProperties: false,
    },
  },
};

const question = [new HumanMessage('How is the weather in Paris?')];

function expectUsage(usage: UsageMetadata | undefined): void {
  expect(usage?.input_tokens).toBeGreaterThan(0);
  expect(usage?.output_tokens).toBeGreaterThan(0);
}

describe('@langchain/openai', () => {
  it('invokes and reads usage', async () => {
    const message = await connect().invoke('Hello');
    expect(message.content).toMatch(/\S/);
    expectUsage(message.usage_metadata);
    expect(message.response_metadata.finish_reason).toMatch(/^(stop|length)$/);
  });

  it('streams and reads usage from the stream', async () => {
    let whole: AIMessageChunk | undefined;
    for await (const chunk of await connect().stream('Hello')) whole = whole?.concat(chunk) ?? chunk;
    expect(whole?.content).toMatch(/\S/);
    expectUsage(whole?.usage_metadata);
  });

  it.each(['required', 'get_weather'])('gets tool calls with tool_choice %s', async (choice) => {
    const model = connect({ maxTokens: 100 }).bindTools([weatherTool], { tool_choice: choice });
    const message = await model.invoke(question);
    let streamed: AIMessageChunk | undefined;
    for await (const chunk of await model.stream(question)) streamed = streamed?.concat(chunk) ?? chunk;
    for (const calls of [message.tool_calls, streamed?.tool_calls]) {
      expect(calls?.length).toBeGreaterThan(0);
      for (const call of calls ?? []) {
        expect(call).toMatchObject({ name: 'get_weather', args: { city: expect.any(String) } });
      }
    }
  });

  it('gets structured output', async () => {
    const schema = {
      title: 'colour',
      type: 'object',
      properties: { colour: { enum: ['red', 'green', 'blue'] } },
      required: ['colour'],
      additionalProperties: false,
    };
    const model = connect({ maxTokens: 64 }).withStructuredOutput(schema, { method: 'jsonSchema' });
    expect(await model.invoke('Name a colour, as JSON.')).toEqual({
      colour: expect.stringMatching(/^(red|green|blue)$/),
    });
  });

  it('raises errors with their status', async () => {
    await expect(connect({ apiKey: 'wrong' }).invoke('Hello')).rejects.toMatchObject({ status: 401 });
    await expect(connect({ model: 'gpt-9' }).invoke('Hello')).rejects.toMatchObject({ status: 404 });
    await expect(connect({ temperature: 3 }).invoke('Hello')).rejects.toMatchObject({ status: 400 });
  });

  it('ends a stream that the caller aborts', async () => {
    const abort = new AbortController();
    const stream = await connect({ maxTokens: 600 }).stream('Count from 1 to 500.', { signal: abort.signal });
    let chunks = 0;
    const read = async () => {
      for await (const chunk of stream) {
        expect(chunk).toBeInstanceOf(AIMessageChunk);
        if (++chunks === 3) abort.abort();
      }
    };
    await expect(read()).rejects.toThrow(/abort/i);
    expect(chunks).toBeLessThan(100);
  });
});
