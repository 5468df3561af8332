/** Random JSON Schemas together with a value that satisfies them, for property tests here and with real models. */
import * as fc from 'fast-check';
import type { JsonSchema, JsonValue } from '../src/chat/types.ts';

export interface SchemaSample {
  readonly schema: JsonSchema;
  /** Valid against the schema; its keys stand in declared order. */
  readonly value: JsonValue;
}

const constant = <Value>(value: Value): fc.Arbitrary<Value> => fc.constant(value);

/** Names and texts that break naive escaping. */
const oddTexts = [
  '',
  'a"b',
  'c\\d',
  'ключ',
  '城市',
  '😀',
  'a b',
  'e\u0301',
  '\n',
  '\u0001',
  'constructor',
  'a/b~c',
  '%41',
  '💥"',
];
const nameArbitrary = fc.oneof(
  { arbitrary: fc.stringMatching(/^[a-z]{1,6}$/), weight: 4 },
  { arbitrary: fc.constantFrom(...oddTexts), weight: 1 },
);
const textArbitrary = fc.oneof(
  fc.string({ maxLength: 8, unit: 'binary' }).filter((text) => text.isWellFormed()),
  fc.constantFrom(...oddTexts),
);

const scalarValue: fc.Arbitrary<JsonValue> = fc.oneof(
  constant(null),
  fc.boolean(),
  fc.integer({ min: -1000, max: 1000 }),
  fc
    .double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
    .map((value) => Number(value.toFixed(3)) + 0),
  textArbitrary,
);
/** ajv compares objects by their `constructor`, so it never finds a listed object that has such a member. */
const valueNameArbitrary = nameArbitrary.filter((name) => name !== 'constructor');
const anyValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalarValue,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(valueNameArbitrary, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;

const annotations = fc.constantFrom(
  {},
  {},
  {},
  { title: 'T', description: 'D' },
  { default: null, examples: [1] },
);

const integerSample: fc.Arbitrary<SchemaSample> = fc
  .tuple(fc.integer({ min: -2000, max: 2000 }), fc.nat(300), fc.nat(300), fc.nat(15))
  .map(([value, below, above, kind]) => ({
    value,
    schema: {
      type: 'integer',
      ...((kind & 1) !== 0 && { minimum: value - below }),
      ...((kind & 2) !== 0 && { maximum: value + above }),
      ...((kind & 4) !== 0 && { exclusiveMinimum: value - below - 1 }),
      ...((kind & 8) !== 0 && value !== 0 && { multipleOf: Math.abs(value) > 60 ? 1 : Math.abs(value) }),
    },
  }));

const numberSample: fc.Arbitrary<SchemaSample> = fc
  .tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.nat(3), fc.nat(500), fc.nat(500), fc.nat(15))
  .map(([digits, places, below, above, kind]) => {
    const unit = 10 ** places;
    const value = digits / unit;
    return {
      value,
      schema: {
        type: 'number',
        ...((kind & 1) !== 0 && { minimum: (digits - below) / unit }),
        ...((kind & 2) !== 0 && { maximum: (digits + above) / unit }),
        ...((kind & 4) !== 0 && { exclusiveMinimum: (digits - below - 1) / unit }),
        ...((kind & 8) !== 0 && { exclusiveMaximum: (digits + above + 1) / unit }),
      },
    };
  });

const stringSample: fc.Arbitrary<SchemaSample> = fc
  .tuple(textArbitrary, fc.nat(4), fc.nat(4), fc.nat(3))
  .map(([value, below, above, kind]) => {
    const length = [...value].length;
    return {
      value,
      schema: {
        type: 'string',
        ...((kind & 1) !== 0 && { minLength: Math.max(0, length - below) }),
        ...((kind & 2) !== 0 && { maxLength: length + above }),
      },
    };
  });

const patterns = [
  '^\\d{4}-\\d{2}$',
  '^[A-Z][a-z]+( [A-Z][a-z]+)*$',
  'ab+c?',
  '^(foo|bar|ba[z-]{2,3})$',
  '^\\p{L}{2,5}$',
  '^[^"\\\\]{1,4}$',
  '^(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)$',
  '^#([0-9a-f]{3}){1,2}$',
  '^a*$|^b+$',
  '[\\u{1F600}-\\u{1F64F}]',
  '^$|^\\S+@\\S+$',
] as const;
const patternSample: fc.Arbitrary<SchemaSample> = fc.constantFrom(...patterns).chain((pattern) =>
  fc
    .tuple(fc.stringMatching(new RegExp(pattern, 'u'), { size: 'xsmall' }), fc.nat(3))
    .filter(([value]) => value.isWellFormed())
    .map(([value, kind]) => {
      const length = [...value].length;
      return {
        value,
        schema: {
          type: 'string',
          pattern,
          ...((kind & 1) !== 0 && { minLength: Math.max(0, length - 1) }),
          ...((kind & 2) !== 0 && { maxLength: length + 1 }),
        },
      };
    }),
);

const enumSample: fc.Arbitrary<SchemaSample> = fc
  .tuple(anyValue, fc.array(anyValue, { maxLength: 4 }), fc.boolean())
  .map(([value, others, isConst]) => ({
    value,
    schema: isConst ? { const: value } : { enum: [...others, value] },
  }));

const openSample: fc.Arbitrary<SchemaSample> = fc
  .tuple(anyValue, fc.constantFrom<JsonSchema>(true, {}, { description: 'anything' }))
  .map(([value, schema]) => ({ value, schema }));

const typeListSample: fc.Arbitrary<SchemaSample> = fc.constantFrom(
  { schema: { type: ['string', 'null'] }, value: null },
  { schema: { type: ['string', 'null'], minLength: 1 }, value: 'x' },
  { schema: { type: ['integer', 'boolean'], minimum: 3 }, value: true },
  { schema: { type: 'null' }, value: null },
  { schema: { type: ['number', 'array'] }, value: [1] },
);

const formatSample: fc.Arbitrary<SchemaSample> = fc.constantFrom(
  { schema: { type: 'string', format: 'date' }, value: '2024-02-28' },
  { schema: { type: 'string', format: 'date-time' }, value: '2024-12-31T23:59:59Z' },
  { schema: { type: 'string', format: 'email' }, value: 'jane.doe+x@example.co.uk' },
  { schema: { type: 'string', format: 'uuid' }, value: '123e4567-e89b-12d3-a456-426614174000' },
  { schema: { type: 'string', format: 'ipv4' }, value: '192.168.0.255' },
  { schema: { type: 'string', format: 'uri' }, value: 'https://example.com/a?b=%20c#d' },
  { schema: { type: 'string', format: 'no-such-format' }, value: 'x' },
);

const leafSample = fc.oneof(
  integerSample,
  numberSample,
  stringSample,
  patternSample,
  enumSample,
  openSample,
  typeListSample,
  formatSample,
);

interface MemberSample extends SchemaSample {
  readonly name: string;
  readonly isRequired: boolean;
  readonly isPresent: boolean;
}

function createObjectSample(members: readonly MemberSample[], extra: SchemaSample | null): SchemaSample {
  const present = members.filter(({ isRequired, isPresent }) => isRequired || isPresent);
  const required = members.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  const extraName = 'extra member';
  const entries = present.map(({ name, value }): [string, JsonValue] => [name, value]);
  return {
    value: Object.fromEntries(extra === null ? entries : [...entries, [extraName, extra.value]]),
    schema: {
      type: 'object',
      properties: Object.fromEntries(members.map(({ name, schema }) => [name, schema])),
      ...(required.length > 0 && { required }),
      ...(extra !== null && { additionalProperties: extra.schema }),
    },
  };
}

/** How deep and large the schemas become; `small` suits tests that generate with a model. */
export type SampleSize = 'small' | 'medium';

/** Schemas from every keyword that the grammar expresses exactly. */
export function schemaSamples(size: SampleSize = 'medium'): fc.Arbitrary<SchemaSample> {
  const maxDepth = size === 'small' ? 2 : 4;
  const { sample } = fc.letrec<{ sample: SchemaSample; object: SchemaSample }>((tie) => {
    const inner = tie('sample');
    const members = fc.uniqueArray(
      fc.record({ name: nameArbitrary, sample: inner, isRequired: fc.boolean(), isPresent: fc.boolean() }),
      { maxLength: size === 'small' ? 3 : 5, selector: ({ name }) => name },
    );
    const object = fc
      .tuple(members, fc.option(inner, { freq: 3 }))
      // JavaScript moves integer-like keys to the front; none are generated, so declared order is kept.
      .map(([list, extra]) =>
        createObjectSample(
          list.map(({ sample: s, ...rest }) => ({ ...rest, ...s })),
          extra,
        ),
      );
    const array = fc.tuple(inner, fc.nat(3), fc.nat(3)).map(
      ([item, count, kind]): SchemaSample => ({
        value: Array.from({ length: count }, () => item.value),
        schema: {
          type: 'array',
          items: item.schema,
          ...((kind & 1) !== 0 && { minItems: count }),
          ...((kind & 2) !== 0 && { maxItems: count + 1 }),
        },
      }),
    );
    const tuple = fc.array(inner, { minLength: 1, maxLength: 3 }).map(
      (items): SchemaSample => ({
        value: items.map(({ value }) => value),
        schema: { type: 'array', prefixItems: items.map(({ schema }) => schema), items: false },
      }),
    );
    const anyOf = fc.tuple(inner, inner, fc.boolean()).map(
      ([chosen, other, isFirst]): SchemaSample => ({
        value: chosen.value,
        schema: { anyOf: isFirst ? [chosen.schema, other.schema] : [other.schema, chosen.schema] },
      }),
    );
    const allOf = inner.map(
      (only): SchemaSample => ({ value: only.value, schema: { allOf: [only.schema, {}] } }),
    );
    const annotated = fc.tuple(inner, annotations).map(([{ schema, value }, notes]) => ({
      value,
      schema: typeof schema === 'boolean' ? schema : { ...notes, ...schema },
    }));
    return {
      object,
      sample: fc.oneof(
        { maxDepth, depthSize: 'small', withCrossShrink: true },
        leafSample,
        object,
        array,
        tuple,
        anyOf,
        allOf,
        annotated,
      ),
    };
  });
  return sample;
}

/** The same with an object at the root, as tool parameters have. */
export const objectSchemaSamples = (size: SampleSize = 'medium'): fc.Arbitrary<SchemaSample> =>
  schemaSamples(size).map((sample) =>
    createObjectSample([{ ...sample, name: 'argument', isRequired: true, isPresent: true }], null),
  );
