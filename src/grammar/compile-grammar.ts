/** Compiles a `GrammarSpec` into a recogniser. */

import { ApiError } from '../errors.ts';
import { createBoundedNumberState, createNumberMachine } from './automaton/bounded-number-state.ts';
import { measureCosts } from './automaton/measure-costs.ts';
import { createChoiceNode, createNeverNode, createTerminalNode, type GrammarNode } from './automaton/node.ts';
import { createSpecialState } from './automaton/terminal.ts';
import { createLiteral } from './automaton/trie.ts';
import type { CompiledGrammar } from './constraint.ts';
import { createFreeState } from './free-state.ts';
import { createGrammarState } from './grammar-state.ts';
import { compileSchema } from './schema/compile-schema.ts';
import type { GrammarSpec } from './spec.ts';

const counterMax = 99_999;

/**
 * Compiles a grammar. `triggered` may only be the whole grammar, not a part of another node.
 *
 * @throws ApiError `invalid_schema`, naming the path, when a schema in it cannot be used.
 */
export function compileGrammar(spec: GrammarSpec): CompiledGrammar {
  if (spec.type === 'triggered') {
    const { trigger } = spec;
    const then = compileGrammar(spec.then);
    const watched =
      trigger.type === 'special'
        ? trigger
        : { type: 'literal' as const, bytes: new TextEncoder().encode(trigger.text) };
    const reserved = new Set(spec.reserved);
    return { start: () => createFreeState(watched, then, reserved) };
  }
  const root = compileNode(spec);
  if (measureCosts(root) === Infinity) {
    throw new ApiError('invalid_schema', { internal: 'the grammar has no sentence' });
  }
  return { start: () => createGrammarState(root) };
}

function compileNode(spec: GrammarSpec): GrammarNode {
  switch (spec.type) {
    case 'literal':
      return createTerminalNode(createLiteral(spec.text).root);
    case 'special':
      return createTerminalNode(createSpecialState(spec.token));
    case 'counter':
      return createCounterNode();
    case 'json-schema':
      return compileSchema(spec.schema, { param: undefined }).node;
    case 'sequence':
      return { kind: 'sequence', items: spec.items.map(compileNode), cost: Infinity };
    case 'choice':
      return createChoiceNode(spec.items.map(compileNode));
    case 'repeat': {
      const { countMin, countMax } = spec;
      return { kind: 'repeat', item: compileNode(spec.item), countMin, countMax, cost: Infinity };
    }
    case 'triggered':
      throw new Error('a triggered grammar cannot be a part of another grammar');
    default:
      return spec satisfies never;
  }
}

function createCounterNode(): GrammarNode {
  const machine = createNumberMachine({
    isInteger: true,
    minimum: 0,
    maximum: counterMax,
    isMinimumExclusive: false,
    isMaximumExclusive: false,
    multiplesOf: [],
  });
  return machine === null ? createNeverNode() : createTerminalNode(createBoundedNumberState(machine));
}
