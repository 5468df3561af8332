/** Whatever schema a caller sends, what comes back validates: as arguments and as answers, streamed and not. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonSchema } from '../../src/chat/types.ts';
import { objectSchemaSamples } from '../schema-arbitrary.ts';
import { foldStream, postChat, readCompletion, type WireCompletion } from './chat-wire.ts';
import { type RunningServer, startServer } from './running-server.ts';
import { anySchemas, objectSchemas } from './small-schemas.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

// Own properties only: otherwise ajv finds `constructor` in every object, which is no member of its JSON.
const ajv = new Ajv2020({ strict: false, ownProperties: true });
addFormats.default(ajv);

function expectValid(schema: JsonSchema, text: string): void {
  const value: unknown = JSON.parse(text);
  const validate = ajv.compile(schema);
  expect(
    validate(value),
    `${text} against ${JSON.stringify(schema)}: ${ajv.errorsText(validate.errors)}`,
  ).toBe(true);
}

async function ask(body: object, isStream: boolean): Promise<WireCompletion['choices'][number]> {
  const { choices } = isStream
    ? await foldStream(await postChat(server, { ...body, stream: true }))
    : await readCompletion(await postChat(server, body));
  const [choice] = choices;
  if (choice === undefined) throw new Error('no choice');
  return choice;
}

const messages = [{ role: 'user', content: 'Fill in the form with anything. Be brief.' }];
const options = { seed: fc.nat(), isStream: fc.boolean() };

const askTool = (schema: JsonSchema, settings: object, isStream: boolean) =>
  ask(
    {
      messages,
      tools: [{ type: 'function', function: { name: 'fill_in', parameters: schema } }],
      tool_choice: 'required',
      parallel_tool_calls: false,
      ...settings,
    },
    isStream,
  );

const askAnswer = (schema: JsonSchema, settings: object, isStream: boolean) =>
  ask(
    {
      messages,
      response_format: { type: 'json_schema', json_schema: { name: 'form', strict: true, schema } },
      ...settings,
    },
    isStream,
  );

/** The values of the recursive schema have no longest; 2,000 tokens are more than the longest of all others. */
const isEndless = (schema: JsonSchema): boolean => typeof schema === 'object' && '$defs' in schema;
const ampleTokens = (schema: JsonSchema): number => (isEndless(schema) ? 400 : 2_000);
/** A value that the budget closed is whole and valid all the same, and says so. */
const expectReason = (schema: JsonSchema, reason: string, whole: string): void =>
  expect(isEndless(schema) ? [whole, 'length'] : [whole]).toContain(reason);

/** The same schemas and seeds in every run: whether it passes is not a matter of luck. */
const runs = { seed: 20_250_905, numRuns: 6 };

describe('a random schema', () => {
  it('is met by the arguments of a required tool call', async () => {
    await fc.assert(
      fc.asyncProperty(objectSchemas, fc.record(options), async (schema, { seed, isStream }) => {
        const settings = { seed, max_tokens: ampleTokens(schema), temperature: 1 };
        const { message, finish_reason: reason } = await askTool(schema, settings, isStream);
        expectReason(schema, reason, 'tool_calls');
        expect(message.tool_calls).toHaveLength(1);
        const called = message.tool_calls?.[0]?.function;
        expect(called?.name).toBe('fill_in');
        expectValid(schema, called?.arguments ?? '');
      }),
      runs,
    );
  }, 240_000);

  it('is met by a structured answer', async () => {
    await fc.assert(
      fc.asyncProperty(anySchemas, fc.record(options), async (schema, { seed, isStream }) => {
        const settings = { seed, max_tokens: ampleTokens(schema), temperature: 1 };
        const { message, finish_reason: reason } = await askAnswer(schema, settings, isStream);
        expectReason(schema, reason, 'stop');
        expectValid(schema, message.content ?? '');
      }),
      runs,
    );
  }, 240_000);

  it('is met, or the answer ends with `length`, when the budget is a few tokens', async () => {
    await fc.assert(
      fc.asyncProperty(
        objectSchemaSamples('small'),
        fc.integer({ min: 1, max: 8 }),
        fc.record(options),
        async ({ schema }, budget, o) => {
          const settings = { seed: o.seed, max_tokens: budget };
          const answer = await askAnswer(schema, settings, o.isStream);
          if (answer.finish_reason === 'stop') expectValid(schema, answer.message.content ?? '');
          else expect(answer.finish_reason).toBe('length');
          const { message, finish_reason: reason } = await askTool(schema, settings, o.isStream);
          if (reason !== 'tool_calls') expect(reason).toBe('length');
          else
            for (const call of message.tool_calls ?? []) expectValid(schema, call.function.arguments ?? '');
        },
      ),
      { ...runs, numRuns: 4 },
    );
  }, 240_000);
});
