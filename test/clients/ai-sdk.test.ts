/** Vercel's AI SDK through its OpenAI-compatible and its Moonshot provider, against the real server and model. */
import { createMoonshotAI } from '@ai-sdk/moonshotai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  APICallError,
  generateObject,
  generateText,
  jsonSchema,
  type LanguageModel,
  streamText,
  tool,
} from 'ai';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { modelName, type RunningServer, startServer } from '../e2e/running-server.ts';

// The model shares the machine with the other tests; nothing here is about its speed.
vi.setConfig({ testTimeout: 120_000 });

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const providers = [
  {
    name: '@ai-sdk/openai-compatible',
    connect: (apiKey: string, model = modelName): LanguageModel =>
      createOpenAICompatible({
        name: 'perigee',
        baseURL: server.baseUrl,
        apiKey,
        includeUsage: true,
        supportsStructuredOutputs: true,
      })(model),
  },
  {
    name: '@ai-sdk/moonshotai',
    // The provider asks for structured output only where the name begins like Moonshot's own.
    connect: (apiKey: string, model = 'kimi-k2-turbo-preview'): LanguageModel =>
      createMoonshotAI({ baseURL: server.baseUrl, apiKey })(model),
  },
];

const getWeather = tool({
  description: 'Weather of a city.',
  inputSchema: jsonSchema<{ city: string; days: number }>({
    type: 'object',
    properties: {
      city: { type: 'string', maxLength: 20 },
      days: { type: 'integer', minimum: 1, maximum: 7 },
    },
    required: ['city', 'days'],
    additionalProperties: false,
  }),
  execute: ({ city, days }) => `${city}: sun for ${days} days`,
});

const tools = { get_weather: getWeather };

describe.each(providers)('$name', ({ connect }) => {
  // The likeliest answer each time: what a sampled one would be is no client's business.
  const common = { maxRetries: 0, maxOutputTokens: 16, temperature: 0 };

  it('generates text and reads usage', async () => {
    const { text, usage, finishReason } = await generateText({
      ...common,
      model: connect(server.apiKey),
      prompt: 'Hello',
    });
    expect(text).toMatch(/\S/);
    expect(finishReason).toMatch(/^(stop|length)$/);
    expect(usage.inputTokens).toBeGreaterThan(0);
    expect(usage.outputTokens).toBeGreaterThan(0);
  });

  it('streams text and reads usage from the stream', async () => {
    const result = streamText({ ...common, model: connect(server.apiKey), prompt: 'Hello' });
    let text = '';
    for await (const delta of result.textStream) text += delta;
    expect(text).toMatch(/\S/);
    expect(await result.finishReason).toMatch(/^(stop|length)$/);
    expect((await result.usage).outputTokens).toBeGreaterThan(0);
  });

  it('gets tool calls that fit their schema, streamed or not', async () => {
    const options = {
      ...common,
      model: connect(server.apiKey),
      prompt: 'How is the weather in Paris?',
      tools,
      toolChoice: 'required' as const,
      maxOutputTokens: 100,
    };
    const generated = await generateText(options);
    const streamed = streamText(options);
    await streamed.consumeStream();
    expect(generated.toolResults[0]?.output).toContain(': sun for ');
    for (const calls of [generated.toolCalls, await streamed.toolCalls]) {
      expect(calls.length).toBeGreaterThan(0);
      for (const { toolName, input } of calls) {
        expect(toolName).toBe('get_weather');
        expect(input).toEqual({ city: expect.any(String), days: expect.any(Number) });
      }
    }
  });

  it('gets objects that fit their schema', async () => {
    const { object } = await generateObject({
      ...common,
      model: connect(server.apiKey),
      maxOutputTokens: 64,
      prompt: 'Name a colour, as JSON.',
      schema: jsonSchema<{ colour: string }>({
        type: 'object',
        properties: { colour: { enum: ['red', 'green', 'blue'] } },
        required: ['colour'],
        additionalProperties: false,
      }),
    });
    expect(object.colour).toMatch(/^(red|green|blue)$/);
  });

  it('raises errors with their status', async () => {
    const ask = (model: LanguageModel, temperature = 0) =>
      generateText({ ...common, model, prompt: 'Hello', temperature });
    await expect(ask(connect('wrong'))).rejects.toMatchObject({ statusCode: 401 });
    await expect(ask(connect(server.apiKey, 'gpt-9'))).rejects.toMatchObject({ statusCode: 404 });
    const refusal: unknown = await ask(connect(server.apiKey), 3).catch((error: unknown) => error);
    if (!APICallError.isInstance(refusal)) throw new Error('no API error', { cause: refusal });
    expect(refusal.statusCode).toBe(400);
    expect(refusal.isRetryable).toBe(false);
  });

  it('ends a stream that the caller aborts', async () => {
    const abort = new AbortController();
    const result = streamText({
      ...common,
      model: connect(server.apiKey),
      prompt: 'Count from 1 to 500.',
      maxOutputTokens: 600,
      abortSignal: abort.signal,
      onError: () => undefined, // The abort itself; the default prints it.
    });
    let deltas = 0;
    const parts: string[] = [];
    for await (const part of result.fullStream) {
      parts.push(part.type);
      if (part.type === 'text-delta' && ++deltas === 3) abort.abort();
    }
    expect(parts).toContain('abort');
    expect(deltas).toBeLessThan(100);
  });
});

describe('@ai-sdk/moonshotai', () => {
  it('reads the cached part of the prompt, which a repeated long prompt has', async () => {
    const model = createMoonshotAI({ baseURL: server.baseUrl, apiKey: server.apiKey })(modelName);
    const prompt = `Repeat after me. ${'The quick brown fox jumps over the lazy dog. '.repeat(20)}`;
    const ask = () => generateText({ model, prompt, maxRetries: 0, maxOutputTokens: 2 });
    await ask();
    const { usage } = await ask();
    expect(usage.inputTokenDetails.cacheReadTokens).toBeGreaterThan(100);
  });
});
