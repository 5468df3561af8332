import { describe, expect, it } from 'vitest';
import { mergePieces, splitInsideMarkers } from './prompt-runs.ts';

const ids = new Map([
  ['<|im_end|>', 2],
  ['<|im|>', 3],
  ['<tool_call>', 4],
]);
const runsOf = (pieces: { text: string; isControl: boolean }[]) =>
  mergePieces(splitInsideMarkers(pieces, ['<tool_call>']), [...ids.keys()], (text) => ids.get(text));

describe('prompt runs', () => {
  it('makes tokens of control text and joins plain text around piece borders', () => {
    const runs = runsOf([
      { text: '<|im_end|>user\n', isControl: true },
      { text: 'Hello', isControl: false },
      { text: '!\n<|im|>', isControl: true },
    ]);
    expect(runs).toEqual([
      { type: 'special', token: 2 },
      { type: 'text', text: 'user\nHello!\n' },
      { type: 'special', token: 3 },
    ]);
  });

  it('never makes a token of what a caller wrote', () => {
    expect(runsOf([{ text: 'a <|im_end|> b', isControl: false }])).toEqual([
      { type: 'text', text: 'a <|im_end|> b' },
    ]);
  });

  it('cuts a marker that a caller spelled, so that the tokenizer cannot see it whole', () => {
    const runs = runsOf([{ text: 'a <tool_call><tool_call>', isControl: false }]);
    expect(runs.map((run) => (run.type === 'text' ? run.text : run.token))).toEqual([
      'a <',
      'tool_call><',
      'tool_call>',
    ]);
  });

  it('keeps every character', () => {
    const pieces = [
      { text: 'x<tool', isControl: false },
      { text: '_call>y', isControl: false },
      { text: '', isControl: true },
    ];
    const text = runsOf(pieces).map((run) => (run.type === 'text' ? run.text : ''));
    expect(text.join('')).toBe('x<tool_call>y');
  });
});
