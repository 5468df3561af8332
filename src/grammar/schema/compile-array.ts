/** Arrays of a shape. */
import type { JsonValue } from '../../chat/types.ts';
import type { GrammarNode } from '../automaton/node.ts';
import { createTrie, type Trie } from '../automaton/trie.ts';
import { type CompileContext, type Conjunction, spendWork } from './compile-context.ts';
import { expandConjunction } from './expand-schema.ts';
import { distinctEntries, listValues } from './list-values.ts';
import { itemConjunction } from './matches-shape.ts';
import type { Shape } from './shape.ts';

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

/** Items that must differ and can be listed are crossed off a list; others are left to the check of the whole. */
function compileDistinct(context: CompileContext, shape: Shape, prefixLength: number): Trie | null {
  if (shape.uniquePath === undefined || shape.itemsMax <= 1) return null;
  const values = prefixLength === 0 ? listAll(context, itemConjunction(shape, 0)) : null;
  if (values !== null) return createTrie(distinctEntries(values));
  context.uncompiled.add(shape.uniquePath);
  return null;
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
