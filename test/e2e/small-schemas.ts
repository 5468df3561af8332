/** Random JSON Schemas whose values are small, so that a small model ends within a small budget. */
import fc from 'fast-check';
import type { JsonSchema, JsonValue } from '../../src/chat/types.ts';

const keys = fc.constantFrom(
  'a',
  'name',
  'two words',
  'naïve',
  '日本',
  'quote"d',
  'back\\slash',
  '🌍',
  '$ref',
  '',
);

const strings = fc.constantFrom<JsonSchema>(
  { type: 'string', maxLength: 6 },
  { type: 'string', minLength: 3, maxLength: 5 },
  { type: 'string', pattern: '^[a-c]{2,4}$' },
  { type: 'string', pattern: '^(yes|no)-[0-9]+x$', maxLength: 8 },
  { type: 'string', format: 'date' },
  { type: ['string', 'null'], maxLength: 4 },
  { enum: ['plain', 'esc"aped\n', 'ünïcode'] },
);

const numbers = fc.oneof(
  fc
    .tuple(fc.integer({ min: -2_000, max: 2_000 }), fc.nat(500))
    .map(([minimum, span]): JsonSchema => ({ type: 'integer', minimum, maximum: minimum + span })),
  fc.constantFrom<JsonSchema>(
    { type: 'integer', multipleOf: 5, minimum: 0, maximum: 100 },
    { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
    { type: ['integer', 'boolean'], minimum: -3, maximum: 3 },
  ),
);

const fixed = fc.oneof(
  fc.constantFrom<JsonSchema>({ type: 'boolean' }, { type: 'null' }),
  fc
    .constantFrom<JsonValue>(1, 'x', true, null, [1, 'two'], { k: { l: [] } })
    .map((value) => ({ const: value })),
  fc.constant<JsonSchema>({ enum: [0, '0', false, null, [], { a: 1 }] }),
);

const unions = fc.tuple(fc.constantFrom('anyOf', 'oneOf'), strings, numbers).map(
  ([keyword, first, second]): JsonSchema => ({
    [keyword]: [{ allOf: [first, { type: 'string' }] }, second],
  }),
);

/** Any schema whose arrays and objects are at most that deep. */
function createSchemas(depth: number): fc.Arbitrary<JsonSchema> {
  const flat = [
    { arbitrary: strings, weight: 3 },
    { arbitrary: numbers, weight: 3 },
    { arbitrary: fixed, weight: 2 },
    { arbitrary: unions, weight: 1 },
  ];
  if (depth === 0) return fc.oneof(...flat);
  return fc.oneof(
    ...flat,
    { arbitrary: createObjects(depth), weight: 1 },
    { arbitrary: createArrays(depth), weight: 1 },
  );
}

function createObjects(depth: number): fc.Arbitrary<JsonSchema> {
  const properties = fc.dictionary(keys, createSchemas(depth - 1), { maxKeys: 3, noNullPrototype: true });
  return fc.tuple(properties, fc.nat(7)).map(
    ([members, mask]): JsonSchema => ({
      type: 'object',
      properties: members,
      required: Object.keys(members).filter((_, index) => ((mask >> index) & 1) === 1),
      additionalProperties: false,
    }),
  );
}

function createArrays(depth: number): fc.Arbitrary<JsonSchema> {
  return fc.tuple(createSchemas(depth - 1), fc.nat(2), fc.nat(2)).map(
    ([items, minItems, more]): JsonSchema => ({
      type: 'array',
      items,
      minItems,
      maxItems: minItems + more,
    }),
  );
}

/** A list whose nodes refer to themselves, as many as the model likes. */
const recursive: JsonSchema = {
  type: 'object',
  properties: { head: { $ref: '#/$defs/node' } },
  required: ['head'],
  additionalProperties: false,
  $defs: {
    node: {
      type: 'object',
      properties: { value: { type: 'integer', minimum: 0, maximum: 9 }, next: { $ref: '#/$defs/tail' } },
      required: ['value', 'next'],
      additionalProperties: false,
    },
    tail: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/node' }] },
  },
};

/** Roots for tool parameters: always objects. */
export const objectSchemas: fc.Arbitrary<JsonSchema> = fc.oneof(
  { arbitrary: createObjects(3), weight: 5 },
  fc.constant(recursive),
);

/** Roots for `response_format`. */
export const anySchemas: fc.Arbitrary<JsonSchema> = fc.oneof(objectSchemas, createSchemas(3));
