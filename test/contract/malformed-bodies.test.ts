/** A thousand bodies that break the contract, and a thousand that may or may not: each answer has the documented shape. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scriptText } from '../../src/engines/scripted/scripted-engine.ts';
import { authorization, createTestApp } from '../../src/http/__fixtures__/create-test-app.ts';
import { testModelId } from '../../src/http/__fixtures__/wire.ts';

/** A body in which every field is used. */
const richBody = {
  model: testModelId,
  messages: [
    { role: 'system', content: 'Be brief.', name: 'boss' },
    { role: 'user', content: [{ type: 'text', text: 'What is the weather?' }] },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'weather:0', type: 'function', function: { name: 'weather', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'weather:0', content: 'Rain.' },
    { role: 'assistant', content: 'It is', partial: true },
  ],
  max_completion_tokens: 5,
  max_tokens: 5,
  stream: false,
  stream_options: { include_usage: true },
  tools: [
    { type: 'function', function: { name: 'weather', description: 'x', parameters: {}, strict: false } },
  ],
  tool_choice: { type: 'function', function: { name: 'weather' } },
  parallel_tool_calls: true,
  n: 1,
  temperature: 0.5,
  top_p: 0.9,
  stop: ['END'],
  seed: 7,
  frequency_penalty: 0.1,
  presence_penalty: 0.1,
  logprobs: true,
  top_logprobs: 2,
  response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {}, strict: false } },
  prompt_cache_key: 'session',
};

type Path = readonly (string | number)[];

/** Every place in a JSON value, the value itself excepted. */
function listPaths(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys: Path = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  const below = keys.flatMap((key) => listPaths(Reflect.get(value, key), [...path, key]));
  return path.length === 0 ? below : [path, ...below];
}

function change(path: Path, apply: (holder: object, key: string | number) => void): unknown {
  const body = structuredClone(richBody);
  const holder = path.slice(0, -1).reduce<object>((node, key) => Reflect.get(node, key), body);
  apply(holder, path.at(-1) ?? '');
  return body;
}
const put = (path: Path, value: unknown) => change(path, (holder, key) => Reflect.set(holder, key, value));
/** Any name becomes a property of its own, `__proto__` too; an array, which has no names in JSON, gets an element. */
function add(holder: object, key: string, value: unknown): void {
  if (Array.isArray(holder)) holder.push(value);
  else Reflect.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}
const at = (path: Path): unknown =>
  path.reduce<unknown>((node, key) => Reflect.get(Object(node), key), richBody);
const typeOf = (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

/** What is allowed beside the type that stands in `richBody`. */
const furtherTypes: Readonly<Record<string, readonly string[]>> = {
  content: ['string', 'array', 'null'], // Of the assistant: null; of the others a list of parts.
  stop: ['string'],
  tool_choice: ['string'], // A string is refused for its value, see `wrongValues`.
  parameters: ['boolean'],
};

const wrongTypes = fc.constantFrom(...listPaths(richBody)).chain((path) => {
  const allowed = ['null', typeOf(at(path)), ...(furtherTypes[String(path.at(-1))] ?? [])];
  const values = [
    fc.string(),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(fc.jsonValue()),
    fc.dictionary(fc.string(), fc.jsonValue()),
  ];
  return fc
    .oneof(
      ...values.filter(
        (_, index) => !allowed.includes(['string', 'boolean', 'number', 'array', 'object'][index] ?? ''),
      ),
    )
    .map((value) => put(path, value));
});

const required: readonly Path[] = [
  ['model'],
  ['messages'],
  ...[0, 1, 2, 3].map((index) => ['messages', index, 'role']),
  ['messages', 0, 'content'],
  ['messages', 1, 'content', 0, 'type'],
  ['messages', 1, 'content', 0, 'text'],
  ['messages', 2, 'tool_calls', 0, 'id'],
  ['messages', 2, 'tool_calls', 0, 'function'],
  ['messages', 2, 'tool_calls', 0, 'function', 'name'],
  ['messages', 2, 'tool_calls', 0, 'function', 'arguments'],
  ['messages', 3, 'tool_call_id'],
  ['messages', 3, 'content'],
  ['tools', 0, 'type'],
  ['tools', 0, 'function'],
  ['tools', 0, 'function', 'name'],
  ['tool_choice', 'type'],
  ['tool_choice', 'function', 'name'],
  ['response_format', 'type'],
  ['response_format', 'json_schema'],
  ['response_format', 'json_schema', 'name'],
];
const missing = fc.constantFrom(...required).chain((path) =>
  fc.constantFrom(
    change(path, (holder, key) => Reflect.deleteProperty(holder, key)),
    put(path, null),
  ),
);

const not = (...values: readonly unknown[]) => fc.string().filter((text) => !values.includes(text));
const wrongValues = fc.oneof(
  fc
    .double({ min: 2.000001, noNaN: true, noDefaultInfinity: true })
    .map((value) => put(['temperature'], value)),
  fc
    .double({ max: -0.000001, noNaN: true, noDefaultInfinity: true })
    .map((value) => put(['temperature'], value)),
  fc.double({ min: 1.000001, noNaN: true, noDefaultInfinity: true }).map((value) => put(['top_p'], value)),
  fc.double({ max: 0.009, noNaN: true, noDefaultInfinity: true }).map((value) => put(['top_p'], value)),
  fc
    .double({ min: 2.000001, noNaN: true, noDefaultInfinity: true })
    .map((value) => put(['presence_penalty'], value)),
  fc
    .double({ max: -2.000001, noNaN: true, noDefaultInfinity: true })
    .map((value) => put(['frequency_penalty'], value)),
  fc.oneof(fc.integer({ max: 0 }), fc.integer({ min: 17 })).map((value) => put(['n'], value)),
  fc.oneof(fc.integer({ max: -1 }), fc.integer({ min: 21 })).map((value) => put(['top_logprobs'], value)),
  fc.double({ max: 0.99, noNaN: true, noDefaultInfinity: true }).map((value) => put(['max_tokens'], value)),
  fc.integer({ max: 0 }).map((value) => put(['max_completion_tokens'], value)),
  fc.array(fc.string({ minLength: 1 }), { minLength: 6, maxLength: 9 }).map((value) => put(['stop'], value)),
  not('none', 'auto', 'required').map((value) => put(['tool_choice'], value)),
  not('weather').map((value) => put(['tool_choice', 'function', 'name'], value)),
  fc.constant(put(['tools'], [])),
  fc.constant(put(['messages'], [])),
  fc
    .string()
    .filter((text) => !/^[a-zA-Z0-9_-]{1,64}$/.test(text) && text !== '$web_search')
    .map((value) => put(['tools', 0, 'function', 'name'], value)),
  not('text', 'json_object', 'json_schema').map((value) => put(['response_format', 'type'], value)),
  not('system', 'user', 'assistant', 'tool', 'developer').map((value) => put(['messages', 0, 'role'], value)),
  fc
    .string()
    .filter((text) => text !== 'weather:0')
    .map((value) => put(['messages', 3, 'tool_call_id'], value)),
  not(testModelId, 'kimi-k2-turbo', 'kimi-k2-turbo-preview').map((value) => put(['model'], value)),
  fc
    .constantFrom('__proto__')
    .map((key) => put(['tools', 0, 'function', 'parameters'], JSON.parse(`{"${key}":{}}`))),
);

const text = JSON.stringify(richBody);
/** What is cut off somewhere is no JSON; neither is what has a stray character in front. */
const brokenText = fc.oneof(
  fc.integer({ min: 0, max: text.length - 1 }).map((length) => text.slice(0, length)),
  fc.constantFrom('\u0000', '}', ',', "'", 'x', '//', '\ud800').map((stray) => stray + text),
  fc.constant('['.repeat(100_000)),
);

const { app, engine } = createTestApp({ script: () => scriptText('x') });
const post = (payload: string | Uint8Array) =>
  app.inject({
    method: 'POST',
    url: '/v1/chat/completions',
    headers: { ...authorization, 'content-type': 'application/json' },
    payload: Buffer.from(payload),
  });

const errorBody = new Ajv2020({ strict: false });
ajvFormats.default(errorBody);
errorBody.addSchema((await app.inject({ url: '/openapi.json' })).json(), 'ours');
const isError = errorBody.compile({ $ref: 'ours#/components/schemas/Error' });
const isRequest = errorBody.compile({ $ref: 'ours#/components/schemas/ChatCompletionRequestInput' });

function expectRefusal(answer: Awaited<ReturnType<typeof post>>): void {
  const body = answer.json();
  expect([isError(body), isError.errors]).toEqual([true, null]);
  expect(answer.statusCode).toBe(body.statusCode);
  expect([400, 404]).toContain(answer.statusCode);
  expect(answer.headers['x-should-retry']).toBe('false');
}

describe('a malformed body', () => {
  it('is what the bodies below are made from, once they are changed', async () => {
    expect((await post(text)).statusCode).toBe(200);
  });

  it('is refused with the documented shape and never reaches the engine, a thousand times', async () => {
    const runCount = engine.runs.length;
    const bodies = fc.oneof(
      { arbitrary: wrongTypes, weight: 4 },
      { arbitrary: wrongValues, weight: 4 },
      { arbitrary: missing, weight: 1 },
      { arbitrary: fc.jsonValue(), weight: 1 },
    );
    const payloads = fc.oneof(
      { arbitrary: bodies.map((body) => JSON.stringify(body)), weight: 8 },
      { arbitrary: brokenText, weight: 1 },
      { arbitrary: fc.uint8Array({ maxLength: 64 }), weight: 1 },
    );
    await fc.assert(
      fc.asyncProperty(payloads, async (payload) => {
        expectRefusal(await post(payload));
      }),
      { numRuns: 1000 },
    );
    expect(engine.runs.length).toBe(runCount);
  });

  it('is never served: whatever is answered with 200 fits the published schema', async () => {
    const keys = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString'));
    const values = fc.oneof(fc.jsonValue(), fc.dictionary(keys, fc.jsonValue()));
    const bodies = fc
      .tuple(fc.constantFrom(...listPaths(richBody)), keys, values, fc.boolean())
      .map(([path, key, value, isReplaced]) =>
        isReplaced ? put(path, value) : change(path, (holder) => add(holder, key, value)),
      );
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const payload = JSON.stringify(body);
        const answer = await post(payload);
        if (answer.statusCode === 200)
          expect([isRequest(JSON.parse(payload)), payload]).toEqual([true, payload]);
        else expectRefusal(answer);
      }),
      { numRuns: 1000 },
    );
  });
});
