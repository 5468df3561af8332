import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '../engine.ts';
import { createAnswerDecoder } from './answer-decoder.ts';
import { createContentTemplate } from './content-template.ts';

const chunk = (content: unknown, rest: object = {}) =>
  JSON.stringify({ id: 'x', choices: [{ index: 0, delta: { content }, finish_reason: null, ...rest }] });

describe('a content template', () => {
  it('reads chunks that differ from the learnt one in their content alone', () => {
    const template = createContentTemplate();
    expect(template.match(chunk('b'))).toBeUndefined();
    template.learn(chunk('a'));
    expect(template.match(chunk('hello 世界'))).toBe('hello 世界');
    expect(template.match(chunk(''))).toBe('');
  });

  it('leaves everything else to the parser', () => {
    const template = createContentTemplate();
    template.learn(chunk('a'));
    const other = JSON.stringify({
      id: 'y',
      choices: [{ index: 0, delta: { content: 'b' }, finish_reason: null }],
    });
    const others = [
      chunk('say "b"'),
      chunk('a\nb'),
      chunk('a\\'),
      chunk(null),
      chunk('b', { finish_reason: 'stop' }),
      chunk('","role":"system'),
      other,
      chunk('a').slice(0, -1),
      '',
    ];
    for (const json of others) expect(template.match(json)).toBeUndefined();
  });

  it('is not misled by another field of that name', () => {
    const template = createContentTemplate();
    template.learn('{"meta":{"content":"a"},"choices":[{"index":0,"delta":{"content":"a"}}]}');
    expect(
      template.match('{"meta":{"content":"b"},"choices":[{"index":0,"delta":{"content":"a"}}]}'),
    ).toBeUndefined();
  });

  it('gives what the parser gives, for every text', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 8 }), { maxLength: 12 }), (texts) => {
        const events: EngineEvent[] = [];
        const decoder = createAnswerDecoder({
          choices: [0],
          hasLogprobs: false,
          textForm: { hasControlTokens: false, isCall: false, echo: undefined },
          emit: (event) => events.push(event),
        });
        for (const text of texts) decoder.add(chunk(text));
        const decoded = events.map((event) => (event.type === 'text-delta' ? event.text : ''));
        expect(decoded).toEqual(texts.filter((text) => text !== ''));
      }),
    );
  });
});
