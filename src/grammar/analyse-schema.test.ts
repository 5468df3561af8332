import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { schemaSamples } from '../../test/schema-arbitrary.ts';
import type { JsonSchema, JsonValue } from '../chat/types.ts';
import { ApiError } from '../errors.ts';
import { analyseSchema } from './analyse-schema.ts';

const param = 'tools[0].function.parameters';

function failureOf(schema: JsonValue): ApiError {
  try {
    // What a client sends need not be a schema at all; that is the point here.
    analyseSchema(schema as JsonSchema, { param });
  } catch (thrown) {
    if (thrown instanceof ApiError) return thrown;
    throw thrown;
  }
  throw new Error('the schema was accepted');
}

/** Looks ahead, so that no automaton can stand for it, and doubles its time with every `a`. */
const endlessPattern = '^(?=(a+)+$)';

const nest = (depth: number): JsonSchema => (depth === 0 ? true : { not: nest(depth - 1) });

describe('analyseSchema', () => {
  it('does not take for a contradiction what only many alternatives hide', () => {
    const numbers = (count: number, step = 1) =>
      Array.from({ length: count }, (_, index) => ({ const: index * step }));
    // Of 700 alternatives some are left out at first, every seventh among them.
    const one: JsonSchema = { allOf: [{ anyOf: numbers(700) }, { const: 6 }] };
    expect(analyseSchema(one, { param })).toEqual({ isExact: true, uncompiled: [] });
    expect(failureOf({ allOf: [{ anyOf: numbers(700) }, { const: 7_000 }] }).code).toBe('invalid_schema');
    // Too many to look at all of them: the answer is generated and checked.
    const endless: JsonSchema = { allOf: [{ anyOf: numbers(9_000) }, { const: 10_000 }] };
    expect(analyseSchema(endless, { param }).isExact).toBe(false);
  });

  it.each<[string, JsonValue, string]>([
    ['an unknown type', { properties: { source: { type: 'strin' } } }, "path 'properties.source.type'"],
    ['a broken pattern', { items: { pattern: '(' } }, "path 'items.pattern'"],
    ['a broken pattern as a key', { patternProperties: { '[': {} } }, "path 'patternProperties'"],
    ['required that is no list', { required: 'a' }, "path 'required'"],
    ['a negative length', { anyOf: [{ minLength: -1 }] }, "path 'anyOf.0.minLength'"],
    ['a subschema that is none', { properties: { a: 5 } }, "path 'properties'"],
    ['an empty allOf', { $defs: { a: { allOf: [] } } }, "path '$defs.a.allOf'"],
    ['multipleOf zero', { multipleOf: 0 }, "path 'multipleOf'"],
    ['a list instead of a schema', [], 'the root'],
    ['null instead of a schema', null, 'the root'],
    ['a remote reference', { items: { $ref: 'https://example.com/a.json' } }, "path 'items.$ref'"],
    ['a dangling reference', { properties: { a: { $ref: '#/$defs/b' } } }, "path 'properties.a.$ref'"],
    ['a reference to no schema', { $ref: '#/required', required: ['a'] }, "path '$ref'"],
    ['a circle of references', { $defs: { a: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }, "path '$defs.a'"],
    ['bounds that exclude all', required({ type: 'integer', minimum: 5, maximum: 1 }), "path 'properties.x'"],
    [
      'lengths that exclude all',
      required({ type: 'string', minLength: 3, maxLength: 2 }),
      "path 'properties.x'",
    ],
    ['listed values that do not fit', required({ type: 'string', enum: [1] }), "path 'properties.x'"],
    ['types that exclude each other', { allOf: [{ type: 'string' }, { type: 'null' }] }, "path 'allOf.1'"],
    ['a member that cannot be', { ...required(false), type: 'object' }, "member 'x'"],
    ['a value without end', { type: 'array', items: { $ref: '#' }, minItems: 1 }, 'no finite value'],
    ['a value of immense length', { type: 'string', minLength: 1e9 }, 'characters'],
    ['nesting without measure', nest(5000), 'nested more than'],
  ])('%s is refused, naming the place', (_, schema, place) => {
    const failure = failureOf(schema);
    expect(failure).toMatchObject({ code: 'invalid_schema', status: 400, param });
    expect(failure.message).toContain(place);
  });

  it.each<[string, JsonSchema, string[]]>([
    ['not', { properties: { a: { not: { const: 1 } } } }, ['properties.a.not']],
    ['if', { if: { type: 'object' }, else: { minimum: 1 } }, ['if']],
    ['contains', { type: 'array', contains: { const: 1 } }, ['contains']],
    ['uniqueItems of open values', { type: 'array', uniqueItems: true }, ['uniqueItems']],
    ['overlapping oneOf', { oneOf: [{ type: 'integer' }, { type: 'number' }] }, ['oneOf']],
    ['lookaround', { type: 'string', pattern: '^(?!x)' }, ['pattern']],
  ])('%s is left to a check of the finished text', (_, schema, uncompiled) => {
    expect(analyseSchema(schema, { param })).toEqual({ isExact: false, uncompiled });
  });

  it.each<[string, JsonSchema]>([
    ['oneOf by type', { oneOf: [{ type: 'string' }, { type: 'object' }] }],
    ['oneOf by discriminator', { oneOf: ['a', 'b', 'c'].map((kind) => required({ const: kind })) }],
    [
      'oneOf by numeric range',
      {
        oneOf: [
          { type: 'integer', maximum: 1 },
          { type: 'integer', minimum: 2 },
        ],
      },
    ],
    ['not of a type', { not: { type: 'null' } }],
    ['patternProperties', { type: 'object', patternProperties: { '^a': { type: 'null' } } }],
    [
      'annotations',
      { title: 't', description: 'd', default: 1, examples: [2], $comment: 'c', 'x-own': true },
    ],
    ['a thousand values', { enum: Array.from({ length: 1000 }, (_, i) => `value ${i}`) }],
    ['references that double at each level', doubling(24)],
    ['thousands of definitions that refer to each other', chain(4000)],
  ])('%s is compiled exactly', (_, schema) => {
    expect(analyseSchema(schema, { param })).toEqual({ isExact: true, uncompiled: [] });
  });

  it('a schema with one part broken at random is compiled or refused, and never crashes', () => {
    const junk = fc.constantFrom<JsonValue>(
      null,
      -1,
      1.5,
      '',
      '(',
      [],
      {},
      [null],
      { a: [] },
      true,
      1e300,
      '#/x',
    );
    fc.assert(
      fc.property(schemaSamples(), fc.nat(), junk, ({ schema }, place, value) => {
        const broken = replaceAt(schema, place, value);
        try {
          analyseSchema(broken as JsonSchema, { param });
        } catch (thrown) {
          expect(thrown).toMatchObject({
            code: 'invalid_schema',
            message: expect.stringMatching(/At (the root|path '.+'):/),
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('leaves names to a check of the finished text where judging them while they are generated may take long', () => {
    const patternProperties = { '^a': { type: 'null' }, [endlessPattern]: true } as const;
    expect(analyseSchema({ patternProperties }, { param })).toEqual({
      isExact: false,
      uncompiled: [`patternProperties.${endlessPattern}`],
    });
    const named: JsonSchema = {
      patternProperties: { '^a': { type: 'null' } },
      propertyNames: { pattern: endlessPattern },
    };
    expect(analyseSchema(named, { param }).uncompiled).toEqual(['propertyNames.pattern']);
  });

  it.each<[string, (names: readonly string[]) => JsonSchema]>([
    ['values', (names) => ({ enum: names, pattern: endlessPattern })],
    [
      'names',
      (names) => ({
        properties: Object.fromEntries(names.map((name) => [name, true])),
        patternProperties: { [endlessPattern]: true },
      }),
    ],
  ])('refuses patterns that would hold up the server over the %s that are listed', (_, schemaOf) => {
    // Each match ends at its own time limit only; together they would take many seconds.
    const names = Array.from({ length: 300 }, (_, index) => `${'a'.repeat(40)}!${index}`);
    const failure = failureOf(schemaOf(names));
    expect(failure).toMatchObject({ code: 'invalid_schema', param });
    expect(failure.message).toContain('patterns take too long');
  });
});

function required(schema: JsonSchema): { readonly [keyword: string]: JsonValue } {
  return { type: 'object', properties: { x: schema }, required: ['x'] };
}

/** Each definition refers to the next. */
function chain(length: number): JsonSchema {
  const entries = Array.from({ length }, (_, i) => {
    const next: JsonSchema = i + 1 === length ? { type: 'null' } : { $ref: `#/$defs/a${i + 1}` };
    return [`a${i}`, { type: 'object', properties: { next } }];
  });
  return { $defs: Object.fromEntries(entries), $ref: '#/$defs/a0' };
}

/** Spelled out, 2 to the power of `levels` alternatives. */
function doubling(levels: number): JsonSchema {
  const names = Array.from({ length: levels }, (_, i) => `a${i}`);
  const entries = names.map((name, i) => {
    const target = { $ref: `#/$defs/a${i - 1}` };
    return [name, i === 0 ? { type: 'string' } : { anyOf: [target, target] }];
  });
  return { $defs: Object.fromEntries(entries), $ref: `#/$defs/a${levels - 1}` };
}

/** The same value with one of its parts, counted in depth-first order, replaced. */
function replaceAt(root: JsonValue, place: number, value: JsonValue): JsonValue {
  const count = JSON.stringify(root, (_, inner: JsonValue) => inner).split(/[:,[]/).length;
  let left = place % count;
  const visit = (at: JsonValue): JsonValue => {
    if (left-- === 0) return value;
    if (Array.isArray(at)) return at.map(visit);
    if (typeof at !== 'object' || at === null) return at;
    return Object.fromEntries(Object.entries(at).map(([name, inner]) => [name, visit(inner)]));
  };
  return visit(root);
}
