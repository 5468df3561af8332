import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPatternAutomaton, type PatternAutomaton, type PatternState } from './pattern-automaton.ts';

function matches(automaton: PatternAutomaton, text: string): boolean {
  let state: PatternState | null = automaton.start;
  for (const character of text) {
    if (state === null) return false;
    state = automaton.step(state, character.codePointAt(0) ?? 0);
  }
  return state?.isAccepting === true;
}

const atom = fc.constantFrom(
  'a',
  'b',
  '.',
  '[ab]',
  '[^a]',
  '\\d',
  '\\w',
  '\\S',
  'é',
  '\\u{1F600}',
  '[a-c1-3]',
  '\\-',
);
const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => a + b),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{0,}', '*?'))
      .map(([a, suffix]) => `(${a})${suffix}`),
    tie('pattern').map((a) => `^${a}`),
    tie('pattern').map((a) => `(?:${a}$)`),
  ),
}));
const text = fc.string({
  unit: fc.constantFrom('a', 'b', 'c', '1', ' ', 'é', '😀', '\n', '-'),
  maxLength: 8,
});

describe('createPatternAutomaton', () => {
  it('agrees with the regex engine on every pattern that it takes', () => {
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 5 }), (source, texts) => {
        // `\-` outside a class is not allowed with the u flag, so only such sources fall out here.
        fc.pre(!source.includes('\\-'));
        const automaton = createPatternAutomaton(source);
        const matcher = new RegExp(source, 'u');
        for (const candidate of texts) {
          expect(automaton !== undefined && matches(automaton, candidate), candidate).toBe(
            matcher.test(candidate),
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  it('the distance of a live state is the length of the nearest match', () => {
    const automaton = createPatternAutomaton('^(ab|a{4})c$');
    const after = automaton?.step(automaton.start, 0x61);
    expect(automaton?.start.distance).toBe(3);
    expect(after?.distance).toBe(2);
    expect(automaton?.step(automaton.start, 0x62)).toBeNull();
  });

  it('feasibility respects both lengths exactly', () => {
    const automaton = createPatternAutomaton('^(aa)+$');
    const lengths = [1, 2, 3, 4, 5].map((n) => automaton?.isFeasible(automaton.start, n, n));
    expect(lengths).toEqual([false, true, false, true, false]);
  });

  it('feasibility is told apart for states beyond those that are kept', () => {
    // The first part has 2^14 states: which of the last 14 characters were an `a`.
    const automaton = createPatternAutomaton('^(?:[ab]*a[ab]{13}|x(?:p{0,3}|q{0,9}))$');
    let states = automaton === undefined ? [] : [automaton.start];
    for (let length = 0; length < 14; length++) {
      states = states.flatMap((state) => [0x61, 0x62].flatMap((code) => automaton?.step(state, code) ?? []));
    }
    expect(new Set(states).size).toBe(2 ** 14);
    const [few, many] = [...'pq'].map((character) =>
      [...`x${character}`].reduce<PatternState | null | undefined>(
        (state, next) => state && automaton?.step(state, next.charCodeAt(0)),
        automaton?.start,
      ),
    );
    expect(many && automaton?.isFeasible(many, 5, 20)).toBe(true);
    expect(few && automaton?.isFeasible(few, 5, 20)).toBe(false);
  });

  it.each(['(?=a)b', 'a(?!b)', '(?<=a)b', '(a)\\1', '\\bword\\b', '(?i:a)', '(?:a{1,1000}){1,1000}'])(
    '%s is left to a check of the finished text',
    (source) => {
      expect(createPatternAutomaton(source)).toBeUndefined();
    },
  );

  it('a pattern that no text matches is not taken', () => {
    expect(createPatternAutomaton('a^b$[]')).toBeUndefined();
  });
});
