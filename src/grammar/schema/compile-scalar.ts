/** Strings and numbers of a shape. */
import { createBoundedNumberState, createNumberMachine } from '../automaton/bounded-number-state.ts';
import { createDecimalState } from '../automaton/decimal-state.ts';
import {
  createNeverNode,
  createStringNode,
  createTerminalNode,
  type GrammarNode,
} from '../automaton/node.ts';
import type { StringMachine } from '../automaton/string-state.ts';
import type { PatternAutomaton } from '../pattern/pattern-automaton.ts';
import type { CompileContext } from './compile-context.ts';
import { formatPatterns } from './format-patterns.ts';
import { automatonFor } from './match-pattern.ts';
import { type Shape, typeBits } from './shape.ts';

export function compileNumber(context: CompileContext, shape: Shape): GrammarNode {
  const { numbers, path } = shape;
  const isInteger = (shape.types & typeBits.fraction) === 0;
  const isUnbounded = numbers.minimum === -Infinity && numbers.maximum === Infinity;
  if (isUnbounded && numbers.multiplesOf.length === 0)
    return createTerminalNode(createDecimalState(isInteger));
  const machine = createNumberMachine({ ...numbers, isInteger });
  if (machine !== null) return createTerminalNode(createBoundedNumberState(machine));
  context.contradictions.push({ path, problem: 'no number satisfies the bounds' });
  return createNeverNode();
}

export function compileString(context: CompileContext, shape: Shape): GrammarNode {
  const node = createStringNode(createMachine(context, shape));
  if (node.kind === 'choice') {
    context.contradictions.push({
      path: shape.path,
      problem: 'no string satisfies the length bounds and patterns',
    });
  }
  return node;
}

/** With a pattern, a longer minimum is left to the check of the finished text. */
const patternLengthMax = 5_000;

/** What the strings of a shape look like. */
export function createMachine(context: CompileContext, shape: Shape): StringMachine {
  const { lengthMin, lengthMax } = shape;
  const plain = { lengthMin, lengthMax, guard: null, isTextKept: false };
  const pattern = choosePattern(context, shape);
  if (pattern === null) return { ...plain, pattern: formatAutomaton(shape) };
  if (lengthMin <= patternLengthMax) return { ...plain, pattern };
  context.uncompiled.add(shape.path);
  return { ...plain, lengthMin: 0, pattern };
}

/** The automaton of the first pattern that has one; the others are left to the check of the finished text. */
function choosePattern(context: CompileContext, shape: Shape): PatternAutomaton | null {
  let chosen: PatternAutomaton | null = null;
  for (const { source, path } of new Map(shape.patterns.map((p) => [p.source, p])).values()) {
    const automaton = automatonFor(source);
    if (chosen === null && automaton !== undefined) chosen = automaton;
    else context.uncompiled.add(path);
  }
  return chosen;
}

/** Formats are annotations: one that clashes with the length bounds, or that a pattern replaces, is ignored. */
function formatAutomaton(shape: Shape): PatternAutomaton | null {
  const source = shape.patterns.length > 0 ? undefined : formatPatterns.get(shape.format ?? '');
  const automaton = source === undefined ? undefined : automatonFor(source);
  if (automaton === undefined || shape.lengthMin > patternLengthMax) return null;
  return automaton.isFeasible(automaton.start, shape.lengthMin, shape.lengthMax) ? automaton : null;
}
