/**
 * Our OpenAPI document against the contract's. Requests: everything that the contract allows is documented and
 * accepted. Responses: everything that the contract lists is documented, and what is really sent fits both
 * documents, but for the deviations that are written down here.
 */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { createModelDirectory } from '../../src/engines/registry.ts';
import {
  createScriptedEngine,
  type ScriptStep,
  scriptText,
  scriptToolCalls,
  scriptUsage,
} from '../../src/engines/scripted/scripted-engine.ts';
import { authorization, createTestApp } from '../../src/http/__fixtures__/create-test-app.ts';
import { chatBody, dataOf, testModelId } from '../../src/http/__fixtures__/wire.ts';
import { decodeRequest } from '../../src/http/openai/decode-request.ts';
import { version } from '../../src/version.ts';
import { asSchema, flattenSchema, fromOpenApi30, listOf, pick, type Schema } from './flatten-schema.ts';
import { sampleSchema } from './sample-schema.ts';

/** What the contract's answers list and ours never contain: parts of other products. */
const neverSent = [
  'choices[].message.audio', // Text only.
  'choices[].message.tool_calls[].custom', // Tools are functions.
  'usage.completion_tokens_details', // No reasoning, audio or prediction tokens.
  'usage.prompt_tokens_details.audio_tokens',
  'service_tier', // There is one.
];
/** Enum values of the contract that ours never use. */
const neverValues: Readonly<Record<string, readonly string[]>> = {
  'choices[].finish_reason': ['content_filter', 'function_call'],
  'choices[].message.tool_calls[].type': ['custom'],
  'choices[].delta.role': ['user', 'developer', 'system', 'tool'],
};
/**
 * Where the contract's stream schema differs from every real stream: `role`, `content`, `id` and `name` are sent
 * once or when there are any, and `finish_reason` is null until the end.
 */
function relaxChunkSchema(schema: Schema): Schema {
  const relaxed = structuredClone(schema);
  const choice = pick(relaxed, 'properties', 'choices', 'items', 'properties');
  const call = pick(choice, 'delta', 'properties', 'tool_calls', 'items');
  for (const node of [asSchema(choice.delta), call, pick(call, 'properties', 'function')]) {
    Object.assign(node, { required: [] });
  }
  Object.assign(asSchema(choice.finish_reason), { nullable: true });
  return relaxed;
}

const contract: unknown = JSON.parse(
  readFileSync(new URL('./fixtures/kimi-k2-turbo-preview.openapi.json', import.meta.url), 'utf8'),
);
const ours: unknown = JSON.parse(
  (await createTestApp({ overrides: { version } }).app.inject({ url: '/openapi.json' })).body,
);
const contractPaths = Object.keys(pick(contract, 'paths'));
const resolve = (ref: string): Schema => pick(ours, ...ref.split('/').slice(1));
const unresolvable = (ref: string): Schema => {
  throw new Error(`the contract has no references, but here is ${ref}`);
};
const requestOf = (document: unknown, path: string) =>
  pick(document, 'paths', path, 'post', 'requestBody', 'content', 'application/json', 'schema');
const responseOf = (document: unknown, path: string, type: string) =>
  pick(document, 'paths', path, 'post', 'responses', '200', 'content', type, 'schema');

const models = createModelDirectory([
  {
    id: testModelId,
    wireName: 'kimi-k2-turbo-preview',
    aliases: [],
    engine: createScriptedEngine({ script: () => [] }),
    created: 0,
  },
]);
const decodeOptions = { models, choiceCountMax: 16, isDeterministic: false };

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajvFormats.default(ajv);
ajv.addSchema(asSchema(ours), 'ours');
const validateRequest = ajv.compile({ $ref: 'ours#/components/schemas/ChatCompletionRequestInput' });

const token = { token: 'x', bytes: [120], logprob: -1 };
const answers: Readonly<Record<string, { script: () => Iterable<ScriptStep>; fields: object }>> = {
  text: { script: () => scriptText('Hel', 'lo'), fields: {} },
  'tool calls': {
    script: () => scriptToolCalls({ name: 'f', argumentsText: '{}' }, { name: 'g', argumentsText: '{}' }),
    fields: {
      tools: ['f', 'g'].map((name) => ({ type: 'function', function: { name } })),
    },
  },
  'log probabilities': {
    script: () => [
      { type: 'text-delta', choice: 0, text: 'x', logprobs: [{ ...token, top: [token] }] },
      { type: 'choice-finish', choice: 0, reason: 'length', completionTokens: 1 },
      { type: 'finish', usage: scriptUsage(1) },
    ],
    fields: { logprobs: true, top_logprobs: 1 },
  },
};

describe.each(contractPaths)('%s', (path) => {
  const promised = flattenSchema(requestOf(contract, path), unresolvable);
  const documented = flattenSchema(requestOf(ours, path), resolve);

  it('documents every request field of the contract', () => {
    expect([...promised.keys()].filter((field) => !documented.has(field))).toEqual([]);
  });

  it('documents every value and every bound of the request fields', () => {
    for (const [field, { values, minimum, maximum }] of promised) {
      const known = documented.get(field);
      // The model's id is one of several names, so it is no enum of ours.
      const missing = field === 'model' ? [] : [...values].filter((value) => !known?.values.has(value));
      expect([field, missing]).toEqual([field, []]);
      if (minimum !== undefined) expect([field, known?.minimum]).toEqual([field, minimum]);
      if (maximum !== undefined) expect([field, known?.maximum]).toEqual([field, maximum]);
    }
  });

  it('demands no request field that the contract does not demand', () => {
    expect(resolveRequired(requestOf(ours, path))).toEqual(resolveRequired(requestOf(contract, path)));
  });

  it.each(Object.keys(pick(requestOf(contract, path), 'properties')))(
    'accepts what the contract allows as %s',
    (field) => {
      const samples = sampleSchema(pick(requestOf(contract, path), 'properties', field), () => 'text', field);
      expect(samples.length).toBeGreaterThan(0);
      for (const sample of samples) {
        const body = completeBody(field, sample);
        expect([validateRequest(body), validateRequest.errors]).toEqual([true, null]);
        expect(() => decodeRequest(body, decodeOptions), JSON.stringify(body)).not.toThrow();
      }
    },
  );

  it.each(['application/json', 'text/event-stream'])(
    'documents every response field of the contract (%s)',
    (type) => {
      const listed = flattenSchema(responseOf(contract, path, type), unresolvable);
      const sent = flattenSchema(responseOf(ours, path, type), resolve);
      const isDeviation = (field: string) =>
        neverSent.some((never) => field === never || field.startsWith(`${never}.`));
      expect([...listed.keys()].filter((field) => !sent.has(field) && !isDeviation(field))).toEqual([]);
      for (const [field, { values }] of listed) {
        const missing = [...values].filter((value) => !sent.get(field)?.values.has(value));
        if (!isDeviation(field))
          expect([field, missing.filter((value) => !neverValues[field]?.includes(String(value)))]).toEqual([
            field,
            [],
          ]);
      }
    },
  );

  it.each(Object.entries(answers))(
    'really answers as both documents say: %s',
    async (_name, { script, fields }) => {
      const post = async (more: object) =>
        (
          await createTestApp({ script }).app.inject({
            method: 'POST',
            url: path,
            headers: authorization,
            payload: chatBody({ ...fields, ...more }),
          })
        ).body;
      const byContract = ajv.compile(asSchema(fromOpenApi30(responseOf(contract, path, 'application/json'))));
      const byUs = ajv.compile({ $ref: 'ours#/components/schemas/ChatCompletion' });
      const completion = JSON.parse(await post({}));
      expect([byContract(completion), byContract.errors]).toEqual([true, null]);
      expect([byUs(completion), byUs.errors]).toEqual([true, null]);

      const chunkByContract = ajv.compile(
        asSchema(fromOpenApi30(relaxChunkSchema(responseOf(contract, path, 'text/event-stream')))),
      );
      const chunkByUs = ajv.compile({ $ref: 'ours#/components/schemas/ChatCompletionChunk' });
      const chunks = dataOf(await post({ stream: true, stream_options: { include_usage: true } }));
      expect(chunks.length).toBeGreaterThan(2);
      for (const chunk of chunks) {
        expect([chunkByContract(chunk), chunkByContract.errors, chunk]).toEqual([true, null, chunk]);
        expect([chunkByUs(chunk), chunkByUs.errors, chunk]).toEqual([true, null, chunk]);
      }
    },
  );
});

it('docs/openapi.json is what the server says (update it with `npx vitest run test/contract --update`)', async () => {
  const document = `${JSON.stringify(ours, null, 2)}\n`;
  await expect(document).toMatchFileSnapshot('../../docs/openapi.json');
});

function resolveRequired(schema: Schema): readonly unknown[] {
  return listOf((typeof schema.$ref === 'string' ? resolve(schema.$ref) : schema).required).toSorted();
}

/** A valid body around one field's sample: the contract's schema does not say what the field needs beside it. */
function completeBody(field: string, sample: unknown): Record<string, unknown> {
  if (field === 'tool_choice') {
    return chatBody({ tool_choice: sample, tools: [{ type: 'function', function: { name: 'text' } }] });
  }
  if (field === 'messages') return chatBody({ messages: completeTurn(asSchema(listOf(sample)[0])) });
  return chatBody({ [field]: sample });
}

/** Calls need their results right after them, results their calls right before. */
function completeTurn(message: Schema): readonly object[] {
  const call = { id: 'text', type: 'function', function: { name: 'f', arguments: '{}' } };
  if (message.role === 'tool') return [{ role: 'assistant', tool_calls: [call] }, message];
  if (message.role !== 'assistant') return [message];
  const calls = listOf(message.tool_calls);
  // The contract marks nothing but the role as required; its text says that content or calls are.
  const spoken = 'content' in message || calls.length > 0 ? message : { content: 'Hello', ...message };
  return [spoken, ...calls.map((made) => ({ role: 'tool', tool_call_id: asSchema(made).id, content: 'x' }))];
}
