import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../chat/types.ts';
import { createOutputCheck } from './check-output.ts';

const verdictOf = (schema: JsonSchema, text: string): boolean => createOutputCheck(schema)(text).isValid;

describe('createOutputCheck', () => {
  it('tells what is wrong and where', () => {
    const schema = { type: 'object', properties: { a: { type: 'integer' } } };
    expect(createOutputCheck(schema)('{"a":"x"}')).toEqual({ isValid: false, reason: '/a must be integer' });
    expect(createOutputCheck(schema)('{"a":')).toMatchObject({ isValid: false });
    expect(createOutputCheck(schema)('{"a":1}')).toEqual({ isValid: true });
  });

  it.each<[string, JsonSchema, string, boolean]>([
    ['members named like built-ins count only when present', { required: ['toString'] }, '{}', false],
    [
      'an optional member named like a built-in',
      { properties: { constructor: { type: 'string' } } },
      '{}',
      true,
    ],
    [
      'each of two patterns',
      { properties: { a: { pattern: '^x' }, b: { pattern: '^y' } } },
      '{"a":"x","b":"x"}',
      false,
    ],
    ['draft 7 tuples', { items: [{ type: 'string' }], additionalItems: false }, '["a",1]', false],
    ['draft 4 exclusive bounds', { minimum: 1, exclusiveMinimum: true }, '1', false],
    [
      'a declared dialect',
      { $schema: 'http://json-schema.org/draft-07/schema#', type: 'null' },
      'null',
      true,
    ],
    ['nullable without a type', { nullable: true, minLength: 1 }, '"a"', true],
    ['unknown formats', { type: 'string', format: 'no-such-format' }, '"a"', true],
    ['uniqueItems', { uniqueItems: true }, '[{"a":1},{"a":1}]', false],
    ['if and else', { if: { const: 1 }, else: false }, '2', false],
    ['three thousand properties', manyProperties(3000), '{"p7":1}', false],
  ])('%s', (_, schema, text, isValid) => {
    expect(verdictOf(schema, text)).toBe(isValid);
  });

  it.each<[string, string, boolean]>([
    ['{"next":{"next":{}}}', 'properties', true],
    ['{"next":{"next":1}}', 'properties', false],
    ['{"next":1}', 'not', true],
    ['{"next":{}}', 'not', false],
  ])('a schema that names itself is itself: %s under %s', (text, keyword, isValid) => {
    const self = keyword === 'not' ? { not: { $ref: '#' } } : { $ref: '#' };
    expect(verdictOf({ type: 'object', properties: { next: self } }, text)).toBe(isValid);
  });

  it('a schema that denies itself is satisfied by nothing', () => {
    expect(createOutputCheck({ not: { $ref: '#' } })('{}')).toEqual({
      isValid: false,
      reason: 'the schema recurs without end',
    });
  });

  it('a name that is no Unicode text makes a schema unusable, in plain words', () => {
    const schema = { properties: { '\ud800': { type: 'string' } } };
    expect(() => createOutputCheck(schema)).toThrow(
      expect.objectContaining({
        code: 'invalid_schema',
        message: expect.stringContaining('surrogate'),
      }),
    );
  });

  it('one identifier in schemas of different callers does not clash', () => {
    expect(verdictOf({ $id: 'https://example.com/s', type: 'string' }, '1')).toBe(false);
    expect(verdictOf({ $id: 'https://example.com/s', type: 'integer' }, '1')).toBe(true);
  });

  it('patterns that explode end: linear where possible, by a time limit else', () => {
    const text = JSON.stringify(`${'a'.repeat(60)}!`);
    expect(verdictOf({ pattern: '^(a+)+$' }, text)).toBe(false);
    expect(verdictOf({ pattern: '^(?=(a+)+$)a*b$' }, text)).toBe(false);
  });
});

function manyProperties(count: number): JsonSchema {
  const names = Array.from({ length: count }, (_, i) => `p${i}`);
  return { properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) };
}
