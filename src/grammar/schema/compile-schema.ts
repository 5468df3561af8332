/** Compiles a JSON Schema (draft 2020-12, and what older drafts wrote differently) into grammar nodes. */
import { LRUCache } from 'lru-cache';
import type { JsonSchema, JsonValue } from '../../chat/types.ts';
import { measureCosts } from '../automaton/measure-costs.ts';
import {
  createChoiceNode,
  createNeverNode,
  createTerminalNode,
  type GrammarNode,
} from '../automaton/node.ts';
import { createTrie } from '../automaton/trie.ts';
import { checkSchema } from './check-schema.ts';
import { compileArray } from './compile-array.ts';
import {
  type CompileContext,
  type Conjunction,
  createContext,
  keyOfConjunction,
  spendWork,
} from './compile-context.ts';
import { compileObject } from './compile-object.ts';
import { compileNumber, compileString } from './compile-scalar.ts';
import { expandConjunction } from './expand-schema.ts';
import { distinctEntries, listValues } from './list-values.ts';
import { createSchemaError } from './located-schema.ts';
import { numberBits, type Shape, typeBits } from './shape.ts';

/** A shortest text beyond this could not be generated in any budget. */
const shortestTextMax = 1_000_000;

export interface CompiledSchema {
  readonly node: GrammarNode;
  /** Paths of keywords that the grammar does not fully express: the finished text must be checked. */
  readonly uncompiled: readonly string[];
}

/** By the text of the schema: the same tools come with every turn. Errors are not kept. */
const compiled = new LRUCache<string, CompiledSchema>({ max: 300 });

/** Compiled nodes are shared between grammars. @throws ApiError `invalid_schema`: malformed, a remote or dangling `$ref`, or nothing can satisfy it. */
export function compileSchema(
  schema: JsonSchema,
  options: { readonly param: string | undefined },
): CompiledSchema {
  // First, because deep nesting would exhaust the stack here too.
  checkSchema(schema, options.param);
  const text = JSON.stringify(schema);
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const result = compileFresh(schema, options.param);
  compiled.set(text, result);
  return result;
}

function compileFresh(schema: JsonSchema, param: string | undefined, scale = 1): CompiledSchema {
  const context = createContext(schema, param, ruleFor, scale);
  const node = ruleFor(context, [{ schema, path: '' }]);
  for (let next = context.pending.pop(); next !== undefined; next = context.pending.pop()) next();
  const cost = measureCosts(node);
  if (cost === Infinity) {
    if (context.hasThinned) return compileWidely(schema, param, scale);
    const [first] = context.contradictions;
    throw createSchemaError(first?.path ?? '', first?.problem ?? 'no finite value can satisfy it', param);
  }
  if (cost > shortestTextMax) {
    throw createSchemaError('', `even the shortest value has more than ${shortestTextMax} characters`, param);
  }
  // Guards of keys judge names while a text is generated; that is not compilation and is bounded by itself.
  context.workLeft = Infinity;
  return { node, uncompiled: [...context.uncompiled] };
}

/** How many times as many alternatives are kept where the usual number seems to be a contradiction. */
const wideScale = 10;

/** The alternatives that fit together may be among those left out: with more of them, else by generate and check. */
function compileWidely(schema: JsonSchema, param: string | undefined, scale: number): CompiledSchema {
  if (scale === 1) return compileFresh(schema, param, wideScale);
  return { node: compileFresh(true, param).node, uncompiled: [''] };
}

function ruleFor(context: CompileContext, conjunction: Conjunction): GrammarNode {
  const key = keyOfConjunction(context, conjunction);
  const known = context.rules.get(key);
  if (known !== undefined) return known;
  spendWork(context, conjunction[0]?.path ?? '', 10);
  const rule = { kind: 'rule' as const, target: createNeverNode() as GrammarNode, cost: Infinity };
  context.rules.set(key, rule);
  context.pending.push(() => {
    rule.target = compileShapes(context, expandConjunction(context, conjunction));
  });
  return rule;
}

/** Values that are listed, and literals, share one trie: a thousand alternatives cost as much as one. */
function compileShapes(context: CompileContext, shapes: readonly Shape[]): GrammarNode {
  const values: JsonValue[] = [];
  const nodes: GrammarNode[] = [];
  for (const shape of shapes) {
    const listed = listValues(context, shape);
    values.push(...listed.values);
    if (!listed.isComplete) nodes.push(...compileOpenTypes(context, shape));
  }
  if (values.length > 0) nodes.unshift(createTerminalNode(createTrie(distinctEntries(values)).root));
  const [only] = nodes;
  return nodes.length === 1 && only !== undefined ? only : createChoiceNode(nodes);
}

function compileOpenTypes(context: CompileContext, shape: Shape): readonly GrammarNode[] {
  const nodes: GrammarNode[] = [];
  if ((shape.types & typeBits.string) !== 0) nodes.push(compileString(context, shape));
  if ((shape.types & numberBits) !== 0) nodes.push(compileNumber(context, shape));
  if ((shape.types & typeBits.object) !== 0) nodes.push(compileObject(context, shape));
  if ((shape.types & typeBits.array) !== 0) nodes.push(compileArray(context, shape));
  return nodes;
}
