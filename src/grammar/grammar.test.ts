import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../chat/types.ts';
import { compileGrammar } from './compile-grammar.ts';
import type { ConstraintState } from './constraint.ts';
import type { GrammarSpec } from './spec.ts';

const encoder = new TextEncoder();

const read = (spec: GrammarSpec, text: string): ConstraintState | null =>
  compileGrammar(spec).start().advance(encoder.encode(text));

type Verdict = 'complete' | 'unfinished' | 'refused';

function judge(schema: JsonSchema, text: string): Verdict {
  const state = read({ type: 'json-schema', schema }, text);
  if (state === null) return 'refused';
  return state.canEnd ? 'complete' : 'unfinished';
}

function completionOf(schema: JsonSchema, text: string): string {
  const pieces = read({ type: 'json-schema', schema }, text)?.shortestCompletion() ?? [];
  return pieces.map((piece) => (piece.type === 'text' ? piece.text : piece.token)).join('');
}

const tree: JsonSchema = {
  $defs: {
    node: {
      type: 'object',
      properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
      required: ['name', 'children'],
    },
  },
  $ref: '#/$defs/node',
};

/** The reference means the inner schema, which has an address of its own. */
const ownResource: JsonSchema = {
  type: 'object',
  properties: { a: { $id: 'inner', type: 'object', properties: { b: { $ref: '#' } } } },
};

const union: JsonSchema = {
  oneOf: [
    {
      type: 'object',
      properties: { kind: { const: 'circle' }, radius: { type: 'number', exclusiveMinimum: 0 } },
      required: ['kind', 'radius'],
    },
    {
      type: 'object',
      properties: { kind: { const: 'square' }, side: { type: 'integer', minimum: 1 } },
      required: ['kind', 'side'],
    },
  ],
};

const merged: JsonSchema = {
  allOf: [
    { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
    { allOf: [{ properties: { a: { minimum: 3 } } }, { properties: { b: { const: { x: [1, 'é'] } } } }] },
    { properties: { a: { maximum: 5 } }, required: ['b'] },
  ],
};

const verdicts: readonly (readonly [string, JsonSchema, string, Verdict])[] = [
  ['a recursive tree', tree, '{"name":"a","children":[{"name":"b","children":[]}]}', 'complete'],
  ['`#` within an own resource', ownResource, '{"a":{"b":{"b":{}}}}', 'complete'],
  ['`#` that means the whole instead', ownResource, '{"a":{"b":{"a":{}}}}', 'refused'],
  ['a recursive tree with a broken leaf', tree, '{"name":"a","children":[{"name":1', 'refused'],
  ['the first branch of a union', union, '{"kind":"circle","radius":0.5}', 'complete'],
  ['the second branch of a union', union, '{"kind":"square","side":2}', 'complete'],
  ['a mixture of branches', union, '{"kind":"circle","side"', 'refused'],
  ['a bound from another branch of allOf', merged, '{"a":2', 'refused'],
  ['members from every branch of allOf', merged, '{"a":4,"b":{"x":[1,"é"]}}', 'complete'],
  [
    'a constant object with spaces',
    { const: { a: [1, { b: null }] } },
    '{"a": [1, {"b": null}]}',
    'complete',
  ],
  ['a constant object with another value', { const: { a: 1 } }, '{"a":2', 'refused'],
  ['values of mixed types', { enum: [1, 'a', null, true, [2], { k: 'v' }] }, '{"k":"v"}', 'complete'],
  ['a listed value that the type forbids', { type: 'string', enum: [1, 'a'] }, '1', 'refused'],
  ['one listed number that begins another', { enum: [1, 12] }, '1', 'complete'],
  ['type lists', { type: ['string', 'null'] }, 'null', 'complete'],
  ['type lists, other type', { type: ['string', 'null'] }, '1', 'refused'],
  ['nullable', { type: 'string', nullable: true }, 'null', 'complete'],
  ['boolean schema true', true, '{"a":[1,"x",{"b":null}]}', 'complete'],
  ['empty schema', {}, '[[],{},-1.5e3]', 'complete'],
  ['draft 4 exclusive bounds', { type: 'integer', minimum: 0, exclusiveMinimum: true }, '0', 'refused'],
  ['draft 7 tuples', { items: [{ const: 1 }], additionalItems: false, type: 'array' }, '[1,', 'refused'],
  [
    'CJK and emoji keys',
    { properties: { 城市: { const: 1 }, '😀': { const: 2 } } },
    '{"城市":1,"😀":2}',
    'complete',
  ],
  [
    'keys with quotes',
    { type: 'object', properties: { 'a"\\b': { const: 1 } } },
    '{"a\\"\\\\b":1}',
    'complete',
  ],
  ['undeclared keys beside declared ones', { type: 'object', properties: { a: {} } }, '{"b"', 'refused'],
  ['keys that are declared twice', { type: 'object', properties: { a: {} } }, '{"a":1,', 'refused'],
  [
    'additional keys when allowed',
    { properties: { a: {} }, additionalProperties: { const: 7 } },
    '{"b":7}',
    'complete',
  ],
  [
    'additional keys of declared names',
    { properties: { a: { const: 1 } }, additionalProperties: true },
    '{"c":1,"a"',
    'refused',
  ],
  ['a repeated additional key', { type: 'object' }, '{"k":1,"k"', 'refused'],
  ['a repeated key in disguise', { type: 'object' }, '{"k":1,"\\u006b"', 'refused'],
  ['too few members', { type: 'object', minProperties: 2 }, '{"k":1}', 'refused'],
  ['too many members', { type: 'object', maxProperties: 1 }, '{"k":1,', 'refused'],
  ['names by pattern', { type: 'object', propertyNames: { pattern: '^[a-c]$' } }, '{"d', 'refused'],
  ['names by list', { type: 'object', propertyNames: { enum: ['x'] } }, '{"x":1}', 'complete'],
  [
    'more names than the pattern has',
    { type: 'object', propertyNames: { pattern: '^[ab]$' } },
    '{"a":1,"b":2,',
    'refused',
  ],
  [
    'pattern properties',
    { patternProperties: { '^n_': { type: 'integer' } }, type: 'object' },
    '{"n_1":"',
    'refused',
  ],
  [
    'dependent members missing',
    { properties: { a: {}, b: {} }, dependentRequired: { a: ['b'] } },
    '{"a":1}',
    'refused',
  ],
  ['tuples', { type: 'array', prefixItems: [{ const: 1 }, { const: 2 }], items: false }, '[1,2]', 'complete'],
  [
    'unique items from a list',
    { type: 'array', items: { enum: [1, 2] }, uniqueItems: true },
    '[1,1',
    'refused',
  ],
  [
    'unique strings',
    { type: 'array', items: { type: 'string' }, uniqueItems: true },
    '["a","b"]',
    'complete',
  ],
  [
    'repeated strings',
    { type: 'array', items: { type: 'string' }, uniqueItems: true },
    '["a","\\u0061"',
    'refused',
  ],
  ['a pattern', { type: 'string', pattern: '^\\d{4}-\\d{2}$' }, '"2024-07"', 'complete'],
  ['a pattern, one digit too many', { type: 'string', pattern: '^\\d{4}-\\d{2}$' }, '"2024-071', 'refused'],
  ['a pattern through escapes', { type: 'string', pattern: '^é"$' }, '"\\u00e9\\""', 'complete'],
  [
    'a pattern through surrogate escapes',
    { type: 'string', pattern: '^\\u{1F600}$' },
    '"\\ud83d\\ude00"',
    'complete',
  ],
  ['an unanchored pattern', { type: 'string', pattern: 'b' }, '"abc"', 'complete'],
  ['an unanchored pattern without a match', { type: 'string', pattern: 'b' }, '"ac"', 'refused'],
  ['half an anchor', { type: 'string', pattern: '^a|b$' }, '"xb"', 'complete'],
  ['unicode classes', { type: 'string', pattern: '^\\p{Lu}\\p{L}*$' }, '"Éa漢"', 'complete'],
  ['unicode classes, wrong class', { type: 'string', pattern: '^\\p{Lu}\\p{L}*$' }, '"1', 'refused'],
  ['a pattern that outgrows the length', { type: 'string', pattern: 'b+', maxLength: 3 }, '"aaa', 'refused'],
  ['a pattern below the minimum', { type: 'string', pattern: '^a*$', minLength: 3 }, '"aa"', 'refused'],
  ['astral characters count once', { type: 'string', maxLength: 1 }, '"😀"', 'complete'],
  ['a lone surrogate', { type: 'string' }, '"\\ud83d"', 'refused'],
  ['a raw control character', { type: 'string' }, '"\n', 'refused'],
  [
    'an exclusive decimal bound',
    { type: 'number', exclusiveMinimum: 0.1, maximum: 0.25 },
    '0.1',
    'unfinished',
  ],
  ['just above it', { type: 'number', exclusiveMinimum: 0.1, maximum: 0.25 }, '0.1000000001', 'complete'],
  ['negative ranges', { type: 'integer', minimum: -20, maximum: -5 }, '-4', 'refused'],
  ['within negative ranges', { type: 'integer', minimum: -20, maximum: -5 }, '-17', 'complete'],
  ['the way to a multiple', { type: 'integer', multipleOf: 7, minimum: 15, maximum: 30 }, '2', 'unfinished'],
  ['a multiple of a fraction', { type: 'number', multipleOf: 0.25 }, '1.75', 'complete'],
  ['not a multiple of a fraction', { type: 'number', multipleOf: 0.25, maximum: 3 }, '1.8', 'refused'],
  ['numbers that overflow', { type: 'number' }, '1e999', 'refused'],
  ['leading zeros', { type: 'integer' }, '01', 'refused'],
  ['minus zero as an integer', { type: 'integer' }, '-0', 'refused'],
  ['pretty printing beyond one space', {}, '[1,  2', 'refused'],
  ['dates that exist', { type: 'string', format: 'date' }, '"2023-02-31', 'refused'],
];

describe('json-schema', () => {
  it.each(verdicts)('%s', (_, schema, text, verdict) => {
    expect(judge(schema, text)).toBe(verdict);
  });

  it('nesting of open values ends, with a value at the bottom', () => {
    expect(judge({}, '['.repeat(32))).toBe('unfinished');
    expect(judge({}, '['.repeat(40))).toBe('refused');
    expect(completionOf({}, '['.repeat(32))).toBe(']'.repeat(32));
  });

  it.each([
    [tree, '{"name":"a', '","children":[]}'],
    [union, '', '{"kind":"square","side":1}'],
    [{ type: 'string', minLength: 3 }, '"a', 'aa"'],
    [{ type: 'array', items: { type: 'integer', minimum: 10 }, minItems: 2 }, '[1', '0,10]'],
    [{ type: 'array', items: { type: 'string' }, uniqueItems: true, minItems: 3 }, '[""', ',"a","A"]'],
    [{ type: 'object', minProperties: 1 }, '{', '"":0}'],
  ])('%j is closed after %s', (schema: JsonSchema, text, rest) => {
    expect(completionOf(schema, text)).toBe(rest);
  });

  it('a character in progress is finished first', () => {
    const start = compileGrammar({ type: 'json-schema', schema: { enum: ['é', 'x'] } }).start();
    const [first] = start.advance(Uint8Array.of(0x22, 0xc3))?.shortestCompletion() ?? [];
    expect(first).toEqual({ type: 'text', text: '"', leadingBytes: Uint8Array.of(0xa9) });
    expect(start.advance(Uint8Array.of(0x22, 0xc4))).toBeNull();
  });

  it('bytes that are not UTF-8 are refused', () => {
    const start = compileGrammar({ type: 'json-schema', schema: {} }).start();
    for (const bytes of [[0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5], [0xe2, 0x28]]) {
      expect(start.advance(Uint8Array.of(0x22, ...bytes))).toBeNull();
    }
  });
});

const call: GrammarSpec = {
  type: 'sequence',
  items: [
    { type: 'special', token: '<|begin|>' },
    {
      type: 'choice',
      items: [
        { type: 'literal', text: 'functions.a:' },
        { type: 'literal', text: 'functions.b:' },
      ],
    },
    { type: 'counter' },
    { type: 'special', token: '<|argument|>' },
    {
      type: 'json-schema',
      schema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
    },
    { type: 'special', token: '<|end|>' },
  ],
};

describe('special tokens and sequences', () => {
  it('each of as many tools as a request may declare can be chosen', () => {
    const names = Array.from({ length: 128 }, (_, i) => `tool_${i}`);
    const items = names.map(
      (name): GrammarSpec => ({
        type: 'sequence',
        items: [
          { type: 'literal', text: `{"name": "${name}", "arguments": ` },
          { type: 'json-schema', schema: {} },
        ],
      }),
    );
    const start = compileGrammar({ type: 'choice', items }).start();
    const callOf = (name: string) => encoder.encode(`{"name": "${name}", "arguments": {}`);
    const refused = names.filter((name) => start.advance(callOf(name)) === null);
    expect(refused).toEqual([]);
  });

  it('special tokens come exactly where they stand, never as text', () => {
    const start = compileGrammar(call).start();
    expect(start.advance(encoder.encode('<|begin|>'))).toBeNull();
    expect(start.advanceSpecial('<|end|>')).toBeNull();
    const named = start.advanceSpecial('<|begin|>')?.advance(encoder.encode('functions.b:12'));
    const done = named
      ?.advanceSpecial('<|argument|>')
      ?.advance(encoder.encode('{"n":3}'))
      ?.advanceSpecial('<|end|>');
    expect(done).toMatchObject({ canEnd: true, mustEnd: true });
  });

  it('a completion names the special tokens that are still due', () => {
    const state = compileGrammar(call).start().advanceSpecial('<|begin|>');
    expect(state?.shortestCompletion()).toEqual([
      { type: 'text', text: 'functions.a:0' },
      { type: 'special', token: '<|argument|>' },
      { type: 'text', text: '{"n":0}' },
      { type: 'special', token: '<|end|>' },
    ]);
  });

  it.each([
    ['0', true],
    ['99999', true],
    ['100000', false],
    ['00', false],
    ['-1', false],
  ])('the counter %s is judged', (text, isAccepted) => {
    expect(read({ type: 'counter' }, text)?.canEnd ?? false).toBe(isAccepted);
  });

  it('repeats respect both counts', () => {
    const spec: GrammarSpec = {
      type: 'repeat',
      item: { type: 'literal', text: 'ab' },
      countMin: 1,
      countMax: 3,
    };
    const ends = ['', 'ab', 'abab', 'ababab'].map((text) => read(spec, text)?.canEnd);
    expect(ends).toEqual([false, true, true, true]);
    expect(read(spec, 'ababab')?.mustEnd).toBe(true);
    expect(read(spec, 'ababababab')).toBeNull();
  });
});

type Triggered = Extract<GrammarSpec, { type: 'triggered' }>;

const createTriggered = (trigger: Triggered['trigger'], then: GrammarSpec): GrammarSpec => ({
  type: 'triggered',
  trigger,
  then,
  reserved: ['<|inside|>'],
});

describe('triggered', () => {
  const afterText = createTriggered(
    { type: 'literal', text: '<tool_call>' },
    { type: 'json-schema', schema: { type: 'object', properties: { a: { const: 1 } }, required: ['a'] } },
  );

  it('free text may hold anything, end anywhere, and is not constrained', () => {
    const state = read(afterText, 'any { text } "');
    expect(state).toMatchObject({ canEnd: true, mustEnd: false, isConstraining: false });
    expect(state?.advance(Uint8Array.of(0xff, 0x80))).not.toBeNull();
    expect(state?.shortestCompletion()).toEqual([]);
  });

  it('a trigger that is split over tokens is seen', () => {
    const state = read(afterText, 'x<tool')?.advance(encoder.encode('_call>'));
    expect(state).toMatchObject({ canEnd: false, isConstraining: true });
    expect(state?.advance(encoder.encode('text'))).toBeNull();
    expect(state?.advance(encoder.encode('{"a":1}'))?.canEnd).toBe(true);
  });

  it('a token that completes the trigger must go on as the constrained part does', () => {
    expect(read(afterText, 'hm <<tool_call>{"a"')?.canEnd).toBe(false);
    expect(read(afterText, '<tool_call>nonsense')).toBeNull();
  });

  it('a false start of the trigger is forgotten', () => {
    expect(read(afterText, '<tool_')?.advance(encoder.encode('box>'))).toMatchObject({
      isConstraining: false,
    });
  });

  it('a special token triggers; others do not', () => {
    const spec = createTriggered({ type: 'special', token: '<|begin|>' }, call);
    const start = compileGrammar(spec).start();
    expect(start.advanceSpecial('<|other|>')?.isConstraining).toBe(false);
    expect(start.advance(encoder.encode('text'))?.advanceSpecial('<|begin|>')).toMatchObject({
      canEnd: false,
    });
  });

  it('a special token that is reserved for the constrained part cannot come before it', () => {
    const start = compileGrammar(createTriggered({ type: 'special', token: '<|begin|>' }, call)).start();
    expect(start.advanceSpecial('<|inside|>')).toBeNull();
    expect(start.advance(encoder.encode('text'))?.advanceSpecial('<|inside|>')).toBeNull();
  });
});
