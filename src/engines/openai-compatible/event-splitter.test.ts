import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventSplitter } from './event-splitter.ts';

type Event = readonly [name: string, data: string];

function split(texts: readonly string[], lengthMax = 1_000): Event[] {
  const events: Event[] = [];
  const splitter = createEventSplitter({ lengthMax, onEvent: (name, data) => events.push([name, data]) });
  for (const text of texts) splitter.feed(text);
  return events;
}

/** The same by a library that is not on the hot path. */
function splitByLibrary(text: string): Event[] {
  const events: Event[] = [];
  const parser = createParser({ onEvent: ({ event, data }) => events.push([event ?? '', data]) });
  parser.feed(text);
  return events;
}

describe('event splitter', () => {
  it('joins data lines, and takes one leading space off a value', () => {
    expect(split(['data: a\ndata:b\ndata\ndata:  c\n\n'])).toEqual([['', 'a\nb\n\n c']]);
  });

  it('gives the name to its own event alone, and none to events without data', () => {
    expect(split(['event: error\ndata: 1\n\n', 'event: ping\n\ndata: 2\n\n'])).toEqual([
      ['error', '1'],
      ['', '2'],
    ]);
  });

  it('leaves out comments, ids, unknown fields and what was not finished', () => {
    expect(split([': keep-alive\n\nid: 7\nretry: 5\nother: x\ndata: 1\n\ndata: 2\n'])).toEqual([['', '1']]);
  });

  it('skips a byte order mark, at the very beginning only', () => {
    expect(split(['\ufeffdata: 1\n\n', '\ufeffdata: 2\n\n'])).toEqual([['', '1']]);
  });

  it('reads every kind of line break, wherever the text is cut', () => {
    const line = fc.constantFrom('data: é', 'data:{"a":1}', 'event: x', ': c', '', '');
    const lineBreak = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(fc.array(fc.tuple(line, lineBreak)), fc.array(fc.nat(200)), (lines, cuts) => {
        // The line feed keeps a last carriage return from being half a break.
        const text = `${lines.flat().join('')}\n`;
        const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length].sort(
          (a, b) => a - b,
        );
        const parts = places.map((from, index) => text.slice(from, places[index + 1] ?? from));
        expect(split(parts)).toEqual(splitByLibrary(text));
      }),
    );
  });

  it('refuses an event without an end before it fills the memory', () => {
    expect(() => split(['data: ', 'x'.repeat(60), 'x'.repeat(60)], 100)).toThrow('upstream');
    expect(() =>
      split(
        Array.from({ length: 20 }, () => 'data: 12345678\n'),
        100,
      ),
    ).toThrow('upstream');
  });
});
