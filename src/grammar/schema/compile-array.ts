/** Arrays of a shape. */
import type { JsonValue } from '../../chat/types.ts';
import { startDistinctItem } from '../automaton/array-frames.ts';
import type { DistinctItems, GrammarNode } from '../automaton/node.ts';
import type { StringMachine } from '../automaton/string-state.ts';
import { completeTerminal } from '../automaton/terminal.ts';
import { createTrie } from '../automaton/trie.ts';
import { type CompileContext, type Conjunction, spendWork } from './compile-context.ts';
import { createMachine } from './compile-scalar.ts';
import { expandConjunction } from './expand-schema.ts';
import { distinctEntries, listValues } from './list-values.ts';
import { itemConjunction } from './matches-shape.ts';
import { type Shape, typeBits } from './shape.ts';

/** Different strings that are tried out to see whether there are enough. */
const countedMax = 200;

export function compileArray(context: CompileContext, shape: Shape): GrammarNode {
  const prefixLength = Math.max(0, ...shape.arrays.map(({ prefix }) => prefix.length));
  spendWork(context, shape.path, prefixLength);
  const distinct = compileDistinct(context, shape, prefixLength);
  const rest = itemConjunction(shape, prefixLength);
  const isRestOpen =
    shape.arrays.some(({ items }) => items !== undefined) ||
    prefixLength === 0 ||
    shape.itemsMin > prefixLength;
  if (shape.itemsMin > shape.itemsMax) {
    context.contradictions.push({ path: shape.path, problem: 'minItems is greater than maxItems' });
  }
  return {
    kind: 'array',
    prefix:
      distinct !== null ? [] : positions(prefixLength).map((i) => context.ruleFor(itemConjunction(shape, i))),
    item: distinct === null && isRestOpen ? context.ruleFor(rest) : null,
    countMin: shape.itemsMin,
    countMax: shape.itemsMax,
    distinct,
    cost: Infinity,
  };
}

const positions = (length: number): readonly number[] => Array.from({ length }, (_, i) => i);

/** Items that must differ: listed ones are crossed off, strings are remembered, others are checked when all is done. */
function compileDistinct(context: CompileContext, shape: Shape, prefixLength: number): DistinctItems | null {
  if (shape.uniquePath === undefined || shape.itemsMax <= 1) return null;
  const conjunction = itemConjunction(shape, 0);
  const values = prefixLength === 0 ? listAll(context, conjunction) : null;
  if (values !== null) return { type: 'entries', trie: createTrie(distinctEntries(values)) };
  const [only, ...others] = expandConjunction(context, conjunction);
  if (prefixLength === 0 && only?.types === typeBits.string && only.values === null && others.length === 0) {
    const machine = createMachine(context, only);
    return { type: 'strings', machine, capacity: countStrings(machine, shape.itemsMin) };
  }
  context.uncompiled.add(shape.uniquePath);
  return null;
}

/** How many different strings there are; more than the minimum asks for count as endless. */
function countStrings(machine: StringMachine, itemsMin: number): number {
  if (machine.pattern === null && machine.lengthMax === Infinity) return Infinity;
  const taken = new Set<number | string>();
  for (let i = 0; i <= Math.min(itemsMin, countedMax); i++) {
    const start = startDistinctItem({ type: 'strings', machine, capacity: 0 }, taken);
    if (start === null) return taken.size;
    taken.add(String(JSON.parse(completeTerminal(start))));
  }
  return Infinity;
}

function listAll(context: CompileContext, conjunction: Conjunction): readonly JsonValue[] | null {
  const values: JsonValue[] = [];
  for (const shape of expandConjunction(context, conjunction)) {
    const listed = listValues(context, shape);
    // Equal containers may be written in different orders, which a list of texts cannot see.
    if (!listed.isComplete || listed.values.some((value) => typeof value === 'object' && value !== null))
      return null;
    values.push(...listed.values);
  }
  return values;
}
