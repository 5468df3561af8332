import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createControlTokenReader } from './kimi-control-tokens.ts';

/** Text in brackets, calls by name, in the order in which they came; neighbours of one kind are joined. */
function read(...pieces: readonly string[]) {
  let text = '';
  const calls: { name: string; argumentsText: string }[] = [];
  const reader = createControlTokenReader({
    text: (added) => {
      text += added;
    },
    callStart: (name) => calls.push({ name, argumentsText: '' }),
    callArguments: (added) => {
      const call = calls.at(-1);
      if (call !== undefined) call.argumentsText += added;
    },
  });
  for (const piece of pieces) reader.feed(piece);
  reader.end();
  return { text, calls };
}

const encodeCall = (id: string, argumentsText: string): string =>
  `<|tool_call_begin|>${id}<|tool_call_argument_begin|>${argumentsText}<|tool_call_end|>`;
const encodeSection = (...calls: readonly string[]): string =>
  `<|tool_calls_section_begin|>${calls.join('')}<|tool_calls_section_end|>`;

describe('leaked control tokens', () => {
  it('become calls, in whatever form the id was written', () => {
    const section = encodeSection(
      encodeCall('functions.a:0', '{}'),
      encodeCall(' search:12 ', '{"q":1}'),
      encodeCall('plain', '[]'),
    );
    expect(read(`Before.${section}<|im_end|>`)).toEqual({
      text: 'Before.',
      calls: [
        { name: 'a', argumentsText: '{}' },
        { name: 'search', argumentsText: '{"q":1}' },
        { name: 'plain', argumentsText: '[]' },
      ],
    });
  });

  it('are read without their section, and without an end', () => {
    expect(read(encodeCall('a:0', '{}')).calls).toEqual([{ name: 'a', argumentsText: '{}' }]);
    expect(
      read('<|tool_calls_section_begin|><|tool_call_begin|>a:0<|tool_call_argument_begin|>{"x').calls,
    ).toEqual([{ name: 'a', argumentsText: '{"x' }]);
  });

  it('leave text alone that only looks like them', () => {
    for (const text of ['a < b', '<|', '<|tool_call', 'x <|tool|> y', '<|im_start|>', '<html>', '<']) {
      expect(read(text)).toEqual({ text, calls: [] });
    }
  });

  it('do not delay text in which no token can begin', () => {
    const shown: string[] = [];
    const reader = createControlTokenReader({
      text: (text) => shown.push(text),
      callStart: () => undefined,
      callArguments: () => undefined,
    });
    for (const piece of ['Hel', 'lo <', 'b> ', '<|im']) reader.feed(piece);
    expect(shown).toEqual(['Hel', 'lo ', '<b> ']);
  });

  it('are found wherever the stream is cut', () => {
    const call = fc.record({
      name: fc.stringMatching(/^[a-zA-Z_][\w-]{0,8}$/),
      argumentsText: fc.json(),
    });
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('<|')),
        fc.array(call, { maxLength: 3 }),
        fc.array(fc.nat(400), { maxLength: 12 }),
        (text, calls, cuts) => {
          const encoded = calls.map(({ name, argumentsText }, index) =>
            encodeCall(`functions.${name}:${index}`, argumentsText),
          );
          const stream = text + (calls.length > 0 ? encodeSection(...encoded) : '');
          const positions = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b)];
          const pieces = positions.map((from, index) => stream.slice(from, positions[index + 1]));
          expect(read(...pieces)).toEqual({ text, calls });
        },
      ),
    );
  });
});
