import { describe, expect, it } from 'vitest';
import { createToolCallAssembler } from './tool-call-assembler.ts';

/** What comes out of the deltas, in order: `start 0 name` and `delta 0 text`. */
function assemble(deltas: readonly unknown[], isCutShort = false, callsMax?: number): string[] {
  const shown: string[] = [];
  const sink = {
    start: (index: number, name: string) => shown.push(`start ${index} ${name}`),
    delta: (index: number, text: string) => shown.push(`delta ${index} ${text}`),
  };
  const assembler = createToolCallAssembler(sink, callsMax);
  for (const delta of deltas) assembler.add(delta);
  assembler.end(isCutShort);
  return shown;
}

const call = (index: number | undefined, id?: string, name?: string, text?: unknown) => ({
  index,
  id,
  function: { name, arguments: text },
});

describe('tool call deltas', () => {
  it('stream through as they come', () => {
    expect(
      assemble([
        call(0, 'a', 'f', ''),
        call(0, undefined, undefined, '{"x'),
        call(0, undefined, undefined, '":1}'),
      ]),
    ).toEqual(['start 0 f', 'delta 0 {"x', 'delta 0 ":1}']);
  });

  it('without arguments become an empty object, before the next call starts', () => {
    expect(assemble([call(0, 'a', 'f', ''), call(1, 'b', 'g')])).toEqual([
      'start 0 f',
      'delta 0 {}',
      'start 1 g',
      'delta 1 {}',
    ]);
  });

  it('are not completed when the budget ended inside them', () => {
    expect(assemble([call(0, 'a', 'f', '')], true)).toEqual(['start 0 f']);
    expect(assemble([call(0, 'a', undefined, '{"x')], true)).toEqual([]);
  });

  it('stay unseen beyond the number of calls that is allowed', () => {
    const two = [call(0, 'a', 'f', '{'), call(1, 'b', 'g', '{'), call(0, 'a', undefined, '}')];
    expect(assemble(two, false, 1)).toEqual(['start 0 f', 'delta 0 {', 'delta 0 }']);
    expect(assemble([call(0, 'a', 'f'), call(1, 'b')], true, 1)).toEqual(['start 0 f', 'delta 0 {}']);
  });

  it('wait for a name that comes late, and hold later calls back so long', () => {
    expect(assemble([call(0, 'a', undefined, '{'), call(1, 'b', 'g', '{}'), call(0, 'a', 'f', '}')])).toEqual(
      ['start 0 f', 'delta 0 {}', 'start 1 g', 'delta 1 {}'],
    );
  });

  it('of different calls are told apart without indices, by id, by name or because a call is complete', () => {
    const two = ['start 0 f', 'delta 0 {}', 'start 1 f', 'delta 1 {}'];
    expect(assemble([call(0, 'a', 'f', '{}'), call(0, 'b', 'f', '{}')])).toEqual(two);
    expect(assemble([call(undefined, 'a', 'f', '{}'), call(undefined, 'b', 'f', '{}')])).toEqual(two);
    expect(assemble([call(undefined, undefined, 'f', '{}'), call(undefined, undefined, 'f', '{}')])).toEqual(
      two,
    );
    expect(assemble([call(0, undefined, 'f'), call(0, undefined, 'g')])).toEqual([
      'start 0 f',
      'delta 0 {}',
      'start 1 g',
      'delta 1 {}',
    ]);
  });

  it('of one call stay together when the name is repeated with each', () => {
    const repeated = [call(0, 'a', 'f', '{"x"'), call(0, 'a', 'f', ':1'), call(0, undefined, 'f', '}')];
    expect(assemble(repeated)).toEqual(['start 0 f', 'delta 0 {"x"', 'delta 0 :1', 'delta 0 }']);
  });

  it('may carry the arguments as an object', () => {
    expect(assemble([call(0, 'a', 'f', { x: [1] })])).toEqual(['start 0 f', 'delta 0 {"x":[1]}']);
  });

  it('that never get a name are an upstream failure', () => {
    expect(() => assemble([call(0, 'a', undefined, '{}')])).toThrow(
      expect.objectContaining({ code: 'upstream_failed' }),
    );
  });

  it('of no known shape are nothing', () => {
    expect(assemble([null, 7, 'x', [], { function: 3 }], true)).toEqual([]);
  });
});
