import { describe, expect, it } from 'vitest';
import type { OutputPiece } from '../protocol.ts';
import { createKimiK2Format } from './kimi-k2.ts';

/** Text in which special tokens stand as they are written. */
function pieces(text: string): OutputPiece[] {
  return text
    .split(/(<\|[^|]+\|>|<\/?think>)/)
    .filter((part) => part !== '')
    .map((part) =>
      /^<(\||\/?think)/.test(part) ? { type: 'special', token: part } : { type: 'text', text: part },
    );
}

function parse(text: string, areCallsExpected = true) {
  const parser = createKimiK2Format().createParser({ areCallsExpected });
  const events = [...pieces(text).flatMap((piece) => parser.push(piece)), ...parser.flush()];
  return { events, completeCalls: parser.completeCalls, isUnfinished: parser.hasUnfinishedCall };
}

const call = (id: string, args: string) =>
  `<|tool_call_begin|>${id}<|tool_call_argument_begin|>${args}<|tool_call_end|>`;
const section = (...calls: string[]) =>
  `<|tool_calls_section_begin|>${calls.join('')}<|tool_calls_section_end|>`;

describe("Kimi K2's calls", () => {
  it('are read with their names, in order, behind the text', () => {
    const text = `Let me look.${section(call('functions.get_weather:3', '{"city": "Bonn"}'), call('functions.b-2:4', '{}'))}`;
    expect(parse(text)).toEqual({
      events: [
        { type: 'text-delta', text: 'Let me look.' },
        { type: 'tool-call-start', index: 0, name: 'get_weather' },
        { type: 'tool-call-delta', index: 0, argumentsText: '{"city": "Bonn"}' },
        { type: 'tool-call-start', index: 1, name: 'b-2' },
        { type: 'tool-call-delta', index: 1, argumentsText: '{}' },
      ],
      completeCalls: 2,
      isUnfinished: false,
    });
  });

  it.each(['functions.search:0', 'search:2', 'search', ' functions.search:0 ', 'functions.search'])(
    'are understood under the id %j',
    (id) => {
      expect(parse(section(call(id, '{}'))).events[0]).toMatchObject({
        type: 'tool-call-start',
        name: 'search',
      });
    },
  );

  it('count as complete only with their end token', () => {
    const cut = `<|tool_calls_section_begin|>${call('functions.a:0', '{}')}<|tool_call_begin|>functions.b:1<|tool_call_argument_begin|>{"x": `;
    expect(parse(cut)).toMatchObject({ completeCalls: 1, isUnfinished: true });
    expect(parse('<|tool_calls_section_begin|><|tool_call_begin|>functions')).toEqual({
      events: [],
      completeCalls: 0,
      isUnfinished: true,
    });
  });

  it('are accepted without the marks of their section', () => {
    expect(parse(call('functions.a:0', '{}'))).toMatchObject({ completeCalls: 1, isUnfinished: false });
  });

  it('never leak a control token into text, whatever the model writes', () => {
    const noise =
      'a<|tool_call_end|>b<|im_middle|>c<|tool_call_argument_begin|>d<|media_begin|>e<|tool_calls_section_end|>f';
    const texts = parse(noise).events.map((event) => (event.type === 'text-delta' ? event.text : event.type));
    expect(texts.join('')).toBe('abcdef');
    const unasked = parse(`x${section(call('functions.a:0', '{}'))}`, false);
    expect(unasked.completeCalls).toBe(0);
    expect(JSON.stringify(unasked.events)).not.toContain('<|');
  });

  it('leave out reasoning', () => {
    expect(parse('<think>hm</think>Yes.').events).toEqual([{ type: 'text-delta', text: 'Yes.' }]);
  });
});

describe('the grammar', () => {
  it('writes the id as Kimi does, between special tokens', () => {
    const tools = [{ name: 'f', schema: { type: 'object' }, param: '' }];
    expect(createKimiK2Format().describeCalls(tools, 1)).toEqual({
      trigger: { type: 'special', token: '<|tool_calls_section_begin|>' },
      reserved: [
        '<|tool_call_begin|>',
        '<|tool_call_argument_begin|>',
        '<|tool_call_end|>',
        '<|tool_calls_section_end|>',
      ],
      rest: {
        type: 'sequence',
        items: [
          {
            type: 'repeat',
            countMin: 1,
            countMax: 1,
            item: {
              type: 'choice',
              items: [
                {
                  type: 'sequence',
                  items: [
                    { type: 'special', token: '<|tool_call_begin|>' },
                    { type: 'literal', text: 'functions.f:' },
                    { type: 'counter' },
                    { type: 'special', token: '<|tool_call_argument_begin|>' },
                    { type: 'json-schema', schema: { type: 'object' } },
                    { type: 'special', token: '<|tool_call_end|>' },
                  ],
                },
              ],
            },
          },
          { type: 'special', token: '<|tool_calls_section_end|>' },
        ],
      },
    });
  });
});
