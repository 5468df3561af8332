import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../chat/types.ts';
import { compileGrammar } from './compile-grammar.ts';
import type { ConstraintState } from './constraint.ts';
import { allowedTokens, createTokenTrie, type Vocabulary } from './token-mask.ts';

const encoder = new TextEncoder();
const pieces = [
  '{"',
  '"',
  '":',
  ' ',
  'city',
  'ci',
  'ty":',
  '1',
  '23',
  '}',
  ',"',
  'é',
  '\\',
  'ab"}',
  'true',
  '<end>',
  '',
  'x y',
];
const tokens = [
  ...pieces.map((piece) => encoder.encode(piece)),
  Uint8Array.of(0xf0, 0x9f),
  Uint8Array.of(0x98),
];
const control = pieces.indexOf('<end>');
const vocabulary: Vocabulary = {
  size: tokens.length,
  tokenBytes: (token) => tokens[token] ?? new Uint8Array(),
  isControl: (token) => token === control,
};
const trie = createTokenTrie(vocabulary);

const at = (schema: JsonSchema, text: string): ConstraintState | null =>
  compileGrammar({ type: 'json-schema', schema }).start().advance(encoder.encode(text));

const city: JsonSchema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

describe('allowedTokens', () => {
  it.each<[JsonSchema, string]>([
    [city, ''],
    [city, '{"'],
    [city, '{"city":'],
    [city, '{"city":"a'],
    [city, '{"city":"a\\'],
    [city, '{"city":"a"'],
    [{ type: 'string', maxLength: 2 }, '"'],
    [{ type: 'integer', maximum: 30 }, '2'],
    [{}, ''],
  ])('of %j after %s, exactly the tokens that advance accepts', (schema, text) => {
    const state = at(schema, text);
    const expected = tokens.flatMap((bytes, token) =>
      token !== control && bytes.length > 0 && state?.advance(bytes) ? [token] : [],
    );
    expect(state === null ? null : [...allowedTokens(trie, state)]).toEqual(expected);
  });
});
