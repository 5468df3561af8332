import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { schemaSamples } from '../../../test/schema-arbitrary.ts';
import type { JsonSchema } from '../../chat/types.ts';
import { analyseSchema } from '../../grammar/analyse-schema.ts';
import { compileGrammar } from '../../grammar/compile-grammar.ts';
import { createOutputText } from './output-text.ts';
import { createSampler } from './sampler.ts';
import { createRandom } from './sampling/random.ts';
import { createToyVocabulary } from './testing/toy-vocabulary.ts';

// Every byte, as in real vocabularies, and some longer tokens that cross the borders of JSON's parts.
const longTokens = [
  '":',
  '","',
  '"}',
  ' "',
  '": "',
  '{"',
  '[{',
  '}]',
  '],',
  'true',
  'null',
  '12',
  '0.',
  'e1',
  'é',
  '城',
  'the',
  ' a',
  '\\n',
  '"]}',
];
const vocabulary = createToyVocabulary(
  [...Array.from({ length: 256 }, (_, byte) => [byte]), ...longTokens],
  ['<call>', '<end>'],
);

/** A model that knows nothing: random logits, more of them for tokens that end things when it is `terse`. */
function generate(schema: JsonSchema, options: { seed: number; outputTokensMax: number; isTerse: boolean }) {
  const random = createRandom(options.seed);
  const sampler = createSampler({
    temperature: options.seed % 3 === 0 ? 0 : 1,
    topP: options.seed % 2 === 0 ? 1 : 0.9,
    presencePenalty: 0,
    frequencyPenalty: 0,
    seed: options.seed,
    topLogprobs: undefined,
    constraint: compileGrammar({ type: 'json-schema', schema }).start(),
    vocabulary,
    outputTokensMax: options.outputTokensMax,
  });
  const output = createOutputText({ stop: ['"'], vocabulary, isStopSuspended: () => sampler.isConstraining });
  let text = '';
  let count = 0;
  let hasEnded = false;
  while (!hasEnded && count < options.outputTokensMax) {
    const row = Float32Array.from({ length: vocabulary.size }, () => random() * 8);
    if (options.isTerse) for (const closer of ['"', '}', ']']) row[closer.charCodeAt(0)] = 12;
    const sampled = sampler.sample(row);
    sampler.accept(sampled.token);
    hasEnded = vocabulary.isEndOfGeneration(sampled.token);
    if (hasEnded) break;
    count++;
    for (const piece of output.push(sampled).pieces) text += piece.type === 'text' ? piece.text : piece.token;
    hasEnded = sampler.isConstraintComplete;
  }
  for (const piece of output.flush()) text += piece.type === 'text' ? piece.text : piece.token;
  return { text, isUnfinished: sampler.isConstraintUnfinished };
}

// Own properties only: otherwise ajv finds `constructor` in every object, which is no member of its JSON.
const ajv = new Ajv2020({ strict: false, validateFormats: false, ownProperties: true });

describe('output of a model that knows nothing', () => {
  it('is valid against any schema, whatever the budget, unless it is marked as unfinished', () => {
    let finished = 0;
    fc.assert(
      fc.property(
        schemaSamples(),
        fc.record({
          seed: fc.nat(1e6),
          outputTokensMax: fc.integer({ min: 1, max: 120 }),
          isTerse: fc.boolean(),
        }),
        ({ schema }, options) => {
          const isExact = analyseSchema(schema, { param: 'schema' }).isExact;
          const { text, isUnfinished } = generate(schema, options);
          if (isUnfinished) return;
          finished++;
          const value: unknown = JSON.parse(text);
          if (isExact) expect([ajv.validate(schema, value), text, ajv.errors]).toEqual([true, text, null]);
        },
      ),
      { numRuns: 100 },
    );
    expect(finished).toBeGreaterThan(30);
  });

  it('is finished within any budget that the shortest answer fits into', () => {
    fc.assert(
      fc.property(schemaSamples(), fc.nat(1e6), fc.nat(40), ({ schema }, seed, more) => {
        const shortest = compileGrammar({ type: 'json-schema', schema })
          .start()
          .shortestCompletion()
          .reduce((sum, piece) => sum + (piece.type === 'text' ? Buffer.byteLength(piece.text) : 1), 0);
        const { isUnfinished, text } = generate(schema, {
          seed,
          outputTokensMax: shortest + more,
          isTerse: false,
        });
        expect([isUnfinished, text]).toEqual([false, text]);
        JSON.parse(text);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a model that insists on what is not allowed', () => {
  // A hundred ways to close a string that has to go on, all of them likelier than any letter.
  const closers = Array.from({ length: 100 }, (_, index) => `"${' '.repeat(index)}`);
  const eager = createToyVocabulary([...Array.from({ length: 256 }, (_, byte) => [byte]), ...closers]);
  const row = new Float32Array(eager.size).fill(-40);
  for (const closer of ['"', ...closers]) row[closer === '"' ? 34 : eager.id(closer)] = 5;
  row['a'.charCodeAt(0)] = 0;
  row['b'.charCodeAt(0)] = -1;

  it.each([
    { temperature: 0, topP: 1, letters: ['a'] },
    { temperature: 1, topP: 1, letters: ['a', 'b'] },
    { temperature: 1, topP: 0.7, letters: ['a'] },
  ])('still gives the likeliest of what is: %j', ({ temperature, topP, letters }) => {
    const schema = { type: 'string', minLength: 9 } as const;
    const inString = compileGrammar({ type: 'json-schema', schema }).start().advance(Buffer.from('"x'));
    if (inString === null) throw new Error('a string begins with a quote');
    const sampler = createSampler({
      temperature,
      topP,
      presencePenalty: 0,
      frequencyPenalty: 0,
      seed: 11,
      topLogprobs: undefined,
      constraint: inString,
      vocabulary: eager,
      outputTokensMax: 1000,
    });
    const drawn = Array.from({ length: 60 }, () => String.fromCharCode(sampler.sample(row).token));
    expect([...new Set(drawn)].sort()).toEqual(letters);
  });
});
