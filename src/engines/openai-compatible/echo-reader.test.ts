import { describe, expect, it } from 'vitest';
import { createEchoReader } from './echo-reader.ts';

function read(echo: string, ...pieces: readonly string[]): string[] {
  const shown: string[] = [];
  let endCount = 0;
  const reader = createEchoReader(echo, {
    feed: (text) => shown.push(text),
    end: () => {
      endCount += 1;
    },
  });
  for (const piece of pieces) reader.feed(piece);
  reader.end();
  expect(endCount).toBe(1);
  return shown;
}

describe('a repeated partial message', () => {
  it('is taken off, however it is cut', () => {
    expect(read('The answer is', 'The answer is ', '1')).toEqual([' ', '1']);
    expect(read('The answer is', 'The ans', 'wer is', ' 1')).toEqual([' 1']);
    expect(read('The answer is', 'The answer is 1.')).toEqual([' 1.']);
  });

  it('is taken off once', () => {
    expect(read('ha', 'ha', 'ha', 'ha')).toEqual(['ha', 'ha']);
  });

  it('is not missed when the upstream does not repeat it', () => {
    expect(read('The answer is', ' 1')).toEqual([' 1']);
    expect(read('The answer is', 'The', ' end')).toEqual(['The end']);
    expect(read('The answer is', 'The')).toEqual(['The']);
    expect(read('The answer is')).toEqual([]);
  });
});
