import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOutputText, type OutputTextOptions } from './output-text.ts';
import type { OutputPiece } from './protocol.ts';
import { createToyVocabulary } from './testing/toy-vocabulary.ts';

/** One token per chunk of bytes, then the control tokens. */
function decode(
  chunks: readonly (string | readonly number[])[],
  options: Omit<OutputTextOptions, 'vocabulary'> & { withLogprobs?: boolean } = { stop: [] },
) {
  const vocabulary = createToyVocabulary(chunks, ['<end>', '<call>']);
  const output = createOutputText({ ...options, vocabulary });
  const steps: OutputPiece[][] = [];
  let isStopped = false;
  for (const token of chunks.keys()) {
    const logprob = options.withLogprobs ? { logprob: -token, top: [] } : undefined;
    const step = output.push({ token, logprob });
    steps.push(step.pieces);
    isStopped = step.isStopped;
    if (isStopped) break;
  }
  if (!isStopped) steps.push(output.flush());
  return { steps, isStopped, text: textOf(steps.flat()) };
}

function textOf(pieces: readonly OutputPiece[]): string {
  return pieces.map((piece) => (piece.type === 'text' ? piece.text : `(${piece.token})`)).join('');
}

describe('characters', () => {
  it('come out whole, however tokens cut them', () => {
    const bytes = [...Buffer.from('aé漢😀z')];
    const { steps, text } = decode(bytes.map((byte) => [byte]));
    expect(text).toBe('aé漢😀z');
    expect(steps.flat().map((piece) => textOf([piece]))).toEqual(['a', 'é', '漢', '😀', 'z']);
  });

  it('equal a TextDecoder stream for any bytes and any cuts', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.array(
            fc.oneof(
              fc.nat(255),
              fc.constantFrom(0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xc3, 0xef, 0xbb, 0xbf),
            ),
            {
              minLength: 1,
              maxLength: 5,
            },
          ),
          { maxLength: 12 },
        ),
        (chunks) => {
          const whole = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(chunks.flat()));
          expect(decode(chunks).text).toBe(whole);
        },
      ),
    );
  });

  it('that are cut off by the end become U+FFFD', () => {
    expect(decode(['a', [0xf0, 0x9f]]).text).toBe('a\u{fffd}');
  });
});

describe('stop strings', () => {
  it('end the text in front of them and never leak, not even in part', () => {
    const { steps, isStopped } = decode(['one', ' E', 'N', 'D two'], { stop: ['END'] });
    expect(isStopped).toBe(true);
    expect(steps.map(textOf)).toEqual(['one', ' ', '', '']);
  });

  it('that do not come true are given back in full', () => {
    expect(decode(['E', 'N', 'E', 'NX'], { stop: ['END'] })).toMatchObject({
      text: 'ENENX',
      isStopped: false,
    });
    expect(decode(['x', 'EN'], { stop: ['END'] })).toMatchObject({ text: 'xEN', isStopped: false });
  });

  it('are all looked for: the first complete one wins, of those that end together the longer', () => {
    expect(decode(['a', 'b', 'c', 'd'], { stop: ['bcd', 'c'] }).text).toBe('ab');
    expect(decode(['abcd'], { stop: ['cd', 'bcd'] }).text).toBe('a');
  });

  it('are found across split characters', () => {
    const euro = [...Buffer.from('€')];
    const chunks = ['5 ', euro.slice(0, 2), euro.slice(2), 'x'];
    expect(decode(chunks, { stop: ['€'] })).toMatchObject({ text: '5 ', isStopped: true });
  });

  it('cut the same text whatever the tokens are', () => {
    const letter = fc.constantFrom('a', 'b', 'c', 'é');
    const word = fc.array(letter, { minLength: 1, maxLength: 4 }).map((letters) => letters.join(''));
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 10 }),
        fc.array(word, { maxLength: 3 }),
        (words, stop) => {
          const cut = decode(words, { stop });
          const single = decode(
            [...Buffer.from(words.join(''))].map((byte) => [byte]),
            { stop },
          );
          expect(cut.text).toBe(single.text);
          expect(cut.isStopped).toBe(single.isStopped);
          for (const text of stop) expect(cut.text).not.toContain(text);
        },
      ),
    );
  });

  it('are not looked for while suspended', () => {
    let isSuspended = false;
    const vocabulary = createToyVocabulary(['EN', 'D', 'END']);
    const output = createOutputText({ stop: ['END'], vocabulary, isStopSuspended: () => isSuspended });
    const push = (text: string) => output.push({ token: vocabulary.id(text), logprob: undefined });
    expect(push('EN').pieces).toEqual([]);
    isSuspended = true;
    expect(push('D')).toEqual({ pieces: [{ type: 'text', text: 'END' }], isStopped: false });
    isSuspended = false;
    expect(push('END').isStopped).toBe(true);
  });
});

describe('control tokens', () => {
  it('come after all text before them, and no stop string reaches across', () => {
    const vocabulary = createToyVocabulary(['EN', 'D', [0xc3]], ['<end>', '<call>']);
    const output = createOutputText({ stop: ['END'], vocabulary });
    const push = (token: number) => output.push({ token, logprob: undefined }).pieces;
    expect([push(0), push(2), push(vocabulary.id('<call>')), push(1)].flat()).toEqual([
      { type: 'text', text: 'EN\u{fffd}' },
      { type: 'special', token: '<call>' },
      { type: 'text', text: 'D' },
    ]);
  });
});

describe('log probabilities', () => {
  it('go out with the text in which their token ends', () => {
    const euro = [...Buffer.from('€')];
    const { steps } = decode(['a', euro.slice(0, 1), euro.slice(1), 'E', 'N', 'x'], {
      stop: ['END'],
      withLogprobs: true,
    });
    const entries = steps.map((pieces) =>
      pieces.flatMap((piece) =>
        piece.type === 'text' ? [[piece.text, piece.logprobs?.map((entry) => -entry.logprob)]] : [],
      ),
    );
    expect(entries).toEqual([[['a', [0]]], [], [['€', [1, 2]]], [], [], [['ENx', [3, 4, 5]]], []]);
  });

  it('name bytes and text of the token and its alternatives', () => {
    const vocabulary = createToyVocabulary(['a', [0xe2, 0x82]], ['<end>']);
    const output = createOutputText({ stop: [], vocabulary });
    const top = [0, 1, 2].map((token) => ({ token, logprob: -1 - token }));
    expect(output.push({ token: 0, logprob: { logprob: -1, top } }).pieces).toEqual([
      {
        type: 'text',
        text: 'a',
        logprobs: [
          {
            token: 'a',
            bytes: [97],
            logprob: -1,
            top: [
              { token: 'a', bytes: [97], logprob: -1 },
              { token: '\u{fffd}', bytes: [0xe2, 0x82], logprob: -2 },
              { token: '<end>', bytes: [...Buffer.from('<end>')], logprob: -3 },
            ],
          },
        ],
      },
    ]);
  });
});
