/** A stream and a JSON answer are two encodings of one thing: with one seed, in deterministic mode, they are equal. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foldStream, postChat, readCompletion, type WireCompletion } from './chat-wire.ts';
import { type RunningServer, startServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const headers = { 'x-perigee-deterministic': 'true' };

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: {
        city: { type: 'string', maxLength: 12 },
        days: { type: 'integer', minimum: 1, maximum: 9 },
      },
      required: ['city', 'days'],
      additionalProperties: false,
    },
  },
};

const prompts = fc.oneof(
  fc.constantFrom('Hello', 'Name three colours.', 'Wie geht es dir? 你好! 🌍', 'Write a haiku.', '1 2 3 4'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((text) => text.trim() !== ''),
);

const requests = fc.record(
  {
    prompt: prompts,
    seed: fc.integer({ min: 0, max: 2 ** 31 }),
    temperature: fc.constantFrom(0, 0.6, 1, 2),
    top_p: fc.constantFrom(0.01, 0.5, 1),
    max_tokens: fc.integer({ min: 1, max: 16 }),
    n: fc.constantFrom(1, 1, 2),
    stop: fc.constantFrom<string | string[]>('e', [' the', '.']),
    frequency_penalty: fc.constantFrom(0, 1.5),
    tools: fc.constantFrom<object>({}, {}, { tools: [weather], tool_choice: 'required' }),
  },
  { requiredKeys: ['prompt', 'seed', 'temperature', 'max_tokens', 'n', 'tools'] },
);

/** All that may differ between two answers is their name and time. */
const comparable = ({ choices }: Pick<WireCompletion, 'choices'>) =>
  choices.map(({ index, message, finish_reason }) => ({
    index,
    finish_reason,
    content: message.content ?? '',
    calls: (message.tool_calls ?? []).map((call) => [call.id, call.function.name, call.function.arguments]),
  }));

describe('deterministic mode', () => {
  it('gives the same text for the same seed, streamed or not, cached or not', async () => {
    await fc.assert(
      fc.asyncProperty(requests, async ({ prompt, tools, ...settings }) => {
        const body = { messages: [{ role: 'user', content: prompt }], ...tools, ...settings };
        const first = await readCompletion(await postChat(server, body, { headers }));
        const streamed = await foldStream(await postChat(server, { ...body, stream: true }, { headers }));
        const again = await readCompletion(await postChat(server, body, { headers }));
        expect(comparable(streamed)).toEqual(comparable(first));
        expect(comparable(again)).toEqual(comparable(first));
      }),
      { numRuns: 8 },
    );
  }, 240_000);

  it('gives other text for another seed', async () => {
    const body = {
      messages: [{ role: 'user', content: 'Tell me a story.' }],
      temperature: 1,
      max_tokens: 24,
    };
    const texts = new Set<string>();
    for (const seed of [1, 2, 3]) {
      const { choices } = await readCompletion(await postChat(server, { ...body, seed }, { headers }));
      texts.add(choices[0]?.message.content ?? '');
    }
    expect(texts.size).toBeGreaterThan(1);
  }, 60_000);
});
