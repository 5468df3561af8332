import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../chat/types.ts';
import { compileGrammar } from '../../grammar/compile-grammar.ts';
import type { OutputPiece } from './protocol.ts';
import { chatRequest, declareTool, user } from './testing/requests.ts';
import { composeGrammar, readOutputRules, selectToolFormat } from './tool-format.ts';

const hermes = selectToolFormat(['<|im_end|>']);
const city = { type: 'object', properties: { city: { type: 'string' } } } as const;

function request(changes: Partial<ChatRequest>): ChatRequest {
  return chatRequest([user('hi')], { tools: [declareTool('a', city), declareTool('b')], ...changes });
}
function grammarOf(changes: Partial<ChatRequest>) {
  return composeGrammar(hermes, readOutputRules(request(changes)));
}

describe('the format of a model', () => {
  it("is Kimi's when the vocabulary has its call tokens, else the Hermes form", () => {
    expect(selectToolFormat(['<|tool_call_begin|>', '<|tool_call_argument_begin|>']).name).toBe('kimi-k2');
    expect(selectToolFormat(['<|tool_call_begin|>']).name).toBe('hermes');
    const tools = readOutputRules(request({})).tools;
    expect(selectToolFormat(['<tool_call>', '</tool_call>']).describeCalls(tools, 1).trigger).toEqual({
      type: 'special',
      token: '<tool_call>',
    });
    expect(hermes.describeCalls(tools, 1).trigger).toEqual({ type: 'literal', text: '<tool_call>' });
  });
});

describe('what an answer may be', () => {
  it('is free text without tools and without a format, and with tools that must not be called', () => {
    expect(grammarOf({ tools: [] })).toBeUndefined();
    expect(grammarOf({ toolChoice: { type: 'none' } })).toBeUndefined();
  });

  it('is free until a call begins for `auto`', () => {
    expect(grammarOf({})).toMatchObject({ type: 'triggered', trigger: { text: '<tool_call>' } });
  });

  it('is never a call that began past the grammar, whose arguments could be anything', () => {
    const kimi = selectToolFormat(['<|tool_call_begin|>', '<|tool_call_argument_begin|>']);
    const grammar = composeGrammar(kimi, readOutputRules(request({})));
    const start = grammar === undefined ? undefined : compileGrammar(grammar).start();
    expect(start?.advanceSpecial('<|tool_calls_section_begin|>')).toMatchObject({ isConstraining: true });
    expect(start?.advanceSpecial('<|tool_call_begin|>')).toBeNull();
  });

  it('is a call from the first token for `required`', () => {
    expect(grammarOf({ toolChoice: { type: 'required' } })).toMatchObject({
      type: 'sequence',
      items: [{ type: 'literal', text: '<tool_call>' }, { type: 'sequence' }],
    });
  });

  it('is one call of the named tool and of no other', () => {
    const rules = readOutputRules(request({ toolChoice: { type: 'named', name: 'b' } }));
    expect(rules.tools.map((tool) => tool.name)).toEqual(['b']);
    expect(rules.callsMax).toBe(1);
    expect(JSON.stringify(composeGrammar(hermes, rules))).not.toContain('repeat');
  });

  it('is one call when parallel calls are off, several otherwise', () => {
    expect(JSON.stringify(grammarOf({ isParallelToolCallsAllowed: false }))).not.toContain('repeat');
    expect(JSON.stringify(grammarOf({}))).toContain('repeat');
  });

  it('is JSON by its schema, any object for `json_object` and for a schema that is not strict', () => {
    const format = { type: 'json-schema', name: 'n', description: undefined, schema: city } as const;
    expect(grammarOf({ tools: [], outputFormat: { ...format, isStrict: true } })).toEqual({
      type: 'json-schema',
      schema: city,
    });
    const anyObject = { type: 'json-schema', schema: { type: 'object' } };
    expect(grammarOf({ tools: [], outputFormat: { ...format, isStrict: false } })).toEqual(anyObject);
    expect(grammarOf({ tools: [], outputFormat: { type: 'json-object' } })).toEqual(anyObject);
  });

  it('is the JSON or a call, as the model likes, when both are asked for', () => {
    expect(grammarOf({ outputFormat: { type: 'json-object' } })).toMatchObject({
      type: 'choice',
      items: [{ type: 'json-schema' }, { type: 'sequence' }],
    });
  });
});

describe('arguments', () => {
  const schemaOf = (tool: ChatRequest['tools'][number]) =>
    readOutputRules(request({ tools: [tool] })).tools[0]?.schema;

  it('are an empty object without parameters, any object when not strict', () => {
    expect(schemaOf(declareTool('f'))).toEqual({
      type: 'object',
      properties: {},
      additionalProperties: false,
    });
    expect(schemaOf(declareTool('f', city, false))).toEqual({ type: 'object' });
  });

  it('are an object whatever the schema leaves open', () => {
    expect(schemaOf(declareTool('f', true))).toEqual({ type: 'object' });
    expect(schemaOf(declareTool('f', {}))).toEqual({ type: 'object' });
    expect(schemaOf(declareTool('f', { type: ['null', 'object'] }))).toEqual({ type: 'object' });
    expect(schemaOf(declareTool('f', { $ref: '#/$defs/x' }))).toEqual({ $ref: '#/$defs/x', type: 'object' });
  });

  it.each([false, { type: 'string' }, { type: ['null'] }])(
    'that no object satisfies are refused: %j',
    (schema) => {
      expect(() => schemaOf(declareTool('f', schema))).toThrow('tools[0].function.parameters');
    },
  );

  it('of a builtin tool are refused, because only the chat core can run it', () => {
    expect(() => schemaOf({ type: 'builtin', name: '$web_search' })).toThrow('$web_search');
  });
});

describe('grammar and parser', () => {
  const formats = {
    'kimi-k2': selectToolFormat(['<|tool_call_begin|>', '<|tool_call_argument_begin|>']),
    'hermes as text': hermes,
    'hermes as tokens': selectToolFormat(['<tool_call>', '</tool_call>']),
  };
  const required = {
    type: 'object',
    properties: { n: { type: 'integer', minimum: 3 } },
    required: ['n'],
  } as const;

  it.each(Object.entries(formats))('agree on what a call looks like: %s', (_name, format) => {
    const rules = readOutputRules(
      request({ tools: [declareTool('pick', required)], toolChoice: { type: 'required' } }),
    );
    const grammar = composeGrammar(format, rules);
    if (grammar === undefined) throw new Error('a forced call has a grammar');
    const sentence = compileGrammar(grammar).start().shortestCompletion();
    const parser = format.createParser({ areCallsExpected: true });
    const events = sentence.flatMap((piece) => {
      const output: OutputPiece = piece.type === 'text' ? { type: 'text', text: piece.text } : piece;
      return parser.push(output);
    });
    expect(events[0]).toEqual({ type: 'tool-call-start', index: 0, name: 'pick' });
    const argumentsText = events
      .map((event) => (event.type === 'tool-call-delta' ? event.argumentsText : ''))
      .join('');
    expect(JSON.parse(argumentsText).n).toBeGreaterThanOrEqual(3);
    expect([parser.completeCalls, parser.hasUnfinishedCall, parser.flush()]).toEqual([1, false, []]);
  });

  it.each(Object.entries(formats))('let free text go on until a call begins: %s', (_name, format) => {
    const grammar = composeGrammar(format, readOutputRules(request({})));
    if (grammar === undefined) throw new Error('`auto` has a grammar');
    const start = compileGrammar(grammar).start();
    const text = start.advance(Buffer.from('A plain answer with <tool and {"json": 1}.'));
    expect([start.canEnd, text?.canEnd, text?.isConstraining]).toEqual([true, true, false]);
  });
});
