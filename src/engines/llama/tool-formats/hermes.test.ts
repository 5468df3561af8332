import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutputPiece } from '../protocol.ts';
import type { ParsedOutput } from '../tool-call-parser.ts';
import { createHermesFormat } from './hermes.ts';

interface Mode {
  readonly areCallsExpected?: boolean;
  readonly areMarksSpecial?: boolean;
  readonly isCallForced?: boolean;
}

function parsePieces(pieces: readonly OutputPiece[], mode: Mode = {}) {
  const { areCallsExpected = true, areMarksSpecial = false, isCallForced = false } = mode;
  const parser = createHermesFormat({ areMarksSpecial }).createParser({ areCallsExpected, isCallForced });
  const events = [...pieces.flatMap((piece) => parser.push(piece)), ...parser.flush()];
  return { ...fold(events), completeCalls: parser.completeCalls, isUnfinished: parser.hasUnfinishedCall };
}

function parse(chunks: readonly string[], mode: Mode = {}) {
  const pieces = chunks.map((text): OutputPiece => ({ type: 'text', text }));
  return parsePieces(pieces, mode);
}

/** What a client would put together from the events. */
function fold(events: readonly ParsedOutput[]) {
  let text = '';
  const calls: { name: string; args: string }[] = [];
  for (const event of events) {
    if (event.type === 'text-delta') text += event.text;
    if (event.type === 'tool-call-start') calls.push({ name: event.name, args: '' });
    const open = event.type === 'tool-call-delta' ? calls[event.index] : undefined;
    if (open !== undefined && event.type === 'tool-call-delta') open.args += event.argumentsText;
  }
  return { text, calls };
}

const call = (name: string, args: string) =>
  `<tool_call>\n{"name": "${name}", "arguments": ${args}}\n</tool_call>`;

describe('Hermes calls', () => {
  const text = `Hm.\n${call('get_weather', '{"city": "Bonn", "deep": {"a": [1, "}"]}}')}\n${call('b', '{}')}`;

  it('are read with names and arguments, the text before them stays', () => {
    expect(parse([text])).toEqual({
      text: 'Hm.\n',
      calls: [
        { name: 'get_weather', args: '{"city": "Bonn", "deep": {"a": [1, "}"]}}' },
        { name: 'b', args: '{}' },
      ],
      completeCalls: 2,
      isUnfinished: false,
    });
  });

  it('are read the same however the output is cut', () => {
    const whole = parse([text]);
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 20 }), (cuts) => {
        const places = [0, ...cuts.sort((left, right) => left - right), text.length];
        expect(parse(places.slice(1).map((end, index) => text.slice(places[index], end)))).toEqual(whole);
      }),
    );
  });

  it('may hold marks inside their strings', () => {
    const args = '{"text": "</tool_call> \\" } <tool_call>"}';
    expect(parse([...call('f', args)])).toMatchObject({
      calls: [{ name: 'f', args }],
      completeCalls: 1,
      text: '',
    });
  });

  it('stream their arguments as they come', () => {
    const parser = createHermesFormat({ areMarksSpecial: false }).createParser({ areCallsExpected: true });
    const push = (chunk: string) => parser.push({ type: 'text', text: chunk });
    expect(push('<tool_call>\n{"name": "f", "arguments": {"a"')).toEqual([
      { type: 'tool-call-start', index: 0, name: 'f' },
      { type: 'tool-call-delta', index: 0, argumentsText: '{"a"' },
    ]);
    expect(push(': 1')).toEqual([{ type: 'tool-call-delta', index: 0, argumentsText: ': 1' }]);
    expect(push('}}\n</tool')).toEqual([{ type: 'tool-call-delta', index: 0, argumentsText: '}' }]);
    expect([push('_call>'), parser.completeCalls]).toEqual([[], 1]);
  });

  it('that the budget cuts are unfinished', () => {
    for (const length of [
      '<tool_call>\n{"na'.length,
      call('f', '{"a": 1}').length - 12,
      call('f', '{}').length - 1,
    ]) {
      const cut = parse([call('f', '{"a": 1}').slice(0, length)]);
      expect(cut).toMatchObject({ completeCalls: 0, isUnfinished: true });
    }
  });

  it.each(['<', '<tool_', '<tool_call>\n{"na'])(
    'that had to come and were cut to %j leave no text behind',
    (text) => {
      expect(parse([text], { isCallForced: true })).toMatchObject({ text: '', calls: [] });
    },
  );

  it('are read when the marks are tokens of their own, and then spelled marks are only text', () => {
    const marks: OutputPiece[] = [
      { type: 'text', text: 'See <tool_call> ' },
      { type: 'special', token: '<tool_call>' },
      { type: 'text', text: '\n{"name": "f", "arguments": {}}\n' },
      { type: 'special', token: '</tool_call>' },
      { type: 'text', text: '\n' },
      { type: 'special', token: '<tool_call>' },
      { type: 'text', text: '\n{"name": "g", "arguments": {}}\n' },
      { type: 'special', token: '</tool_call>' },
    ];
    expect(parsePieces(marks, { areMarksSpecial: true })).toEqual({
      text: 'See <tool_call> ',
      calls: [
        { name: 'f', args: '{}' },
        { name: 'g', args: '{}' },
      ],
      completeCalls: 2,
      isUnfinished: false,
    });
  });
});

describe('text that merely looks like a call', () => {
  it.each(['a < b', '<tool', 'see <tool_calls>', '<tool_<tool_', '<'])('comes out in full: %j', (text) => {
    expect(parse([...text])).toEqual({ text, calls: [], completeCalls: 0, isUnfinished: false });
  });

  it('is all text when no call may come', () => {
    const text = call('f', '{}');
    expect(parse([text], { areCallsExpected: false })).toMatchObject({ text, calls: [], completeCalls: 0 });
  });

  it('keeps the log probabilities of what was held back', () => {
    const parser = createHermesFormat({ areMarksSpecial: false }).createParser({ areCallsExpected: true });
    const entry = (token: string) => ({ token, bytes: [], logprob: -1, top: [] });
    const push = (text: string) => parser.push({ type: 'text', text, logprobs: [entry(text)] });
    expect(push('a<to')).toEqual([{ type: 'text-delta', text: 'a' }]);
    expect(push('y')).toEqual([{ type: 'text-delta', text: '<toy', logprobs: [entry('a<to'), entry('y')] }]);
  });

  it('never shows control tokens or reasoning', () => {
    const pieces: OutputPiece[] = [
      { type: 'special', token: '<think>' },
      { type: 'text', text: 'hm' },
      { type: 'special', token: '</think>' },
      { type: 'text', text: 'Yes' },
      { type: 'special', token: '<|im_start|>' },
      { type: 'text', text: '.' },
    ];
    expect(parsePieces(pieces).text).toBe('Yes.');
  });
});
