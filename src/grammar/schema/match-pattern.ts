/**
 * Tests whole texts against patterns that come from callers, in time that a hostile pattern cannot blow up: by
 * our own automaton, and by the JavaScript engine under a time limit where the automaton cannot express it.
 */
import { type Context, createContext, Script } from 'node:vm';
import { LRUCache } from 'lru-cache';
import {
  createPatternAutomaton,
  type PatternAutomaton,
  type PatternState,
} from '../pattern/pattern-automaton.ts';
import { createRegExp } from './check-schema.ts';

const timeLimitMs = 50;
const runMatcher = new Script('matcher.test(text)');
/** Made at first use and kept: making one takes several times as long as most matches. */
let sandbox: Context | undefined;

const automata = new LRUCache<string, { readonly automaton: PatternAutomaton | undefined }>({ max: 500 });

/** The automaton of a pattern; undefined = not expressible. Remembered, since schemas come again and again. */
export function automatonFor(source: string): PatternAutomaton | undefined {
  const known = automata.get(source);
  if (known !== undefined) return known.automaton;
  // Without the u flag, `.` and classes mean UTF-16 units: close, but not the same, so it is not expressed.
  const automaton = isUnicodePattern(source) ? createPatternAutomaton(source) : undefined;
  automata.set(source, { automaton });
  return automaton;
}

const isUnicodePattern = (source: string): boolean => createRegExp(source)?.unicode === true;

/** Whether the pattern matches anywhere in the text. A pattern that takes too long does not match. */
export function matchesPattern(source: string, text: string): boolean {
  const automaton = automatonFor(source);
  if (automaton !== undefined && !/\p{Surrogate}/u.test(text)) return runAutomaton(automaton, text);
  const matcher = createRegExp(source);
  if (matcher === undefined) return false;
  try {
    sandbox ??= createContext();
    Object.assign(sandbox, { matcher, text });
    return runMatcher.runInContext(sandbox, { timeout: timeLimitMs }) === true;
  } catch (thrown) {
    if (isTimeout(thrown)) return false;
    throw thrown;
  }
}

/** The error belongs to the other context, so `instanceof` does not know it. */
const isTimeout = (thrown: unknown): boolean =>
  typeof thrown === 'object' &&
  thrown !== null &&
  'code' in thrown &&
  thrown.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';

function runAutomaton(automaton: PatternAutomaton, text: string): boolean {
  let state: PatternState | null = automaton.start;
  for (const character of text) {
    if (state === null || state.isUniversal) break;
    state = automaton.step(state, character.codePointAt(0) ?? 0);
  }
  return state?.isAccepting === true;
}
