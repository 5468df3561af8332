/** What one compilation shares between its parts. */
import type { JsonSchema } from '../../chat/types.ts';
import type { GrammarNode, RuleNode } from '../automaton/node.ts';
import { createSchemaError, type LocatedSchema } from './located-schema.ts';
import { matchesPattern } from './match-pattern.ts';
import { createReferenceResolver, type ReferenceResolver } from './resolve-reference.ts';
import type { Shape } from './shape.ts';

/** All of them hold: what `allOf` and neighbouring keywords make of one place. */
export type Conjunction = readonly LocatedSchema[];

export interface CompileContext {
  readonly param: string | undefined;
  readonly resolver: ReferenceResolver;
  /** Paths of keywords that the grammar does not (fully) express. */
  readonly uncompiled: Set<string>;
  /** The first contradictions met, for the message when nothing can satisfy the whole. */
  readonly contradictions: { readonly path: string; readonly problem: string }[];
  readonly rules: Map<string, RuleNode>;
  readonly shapes: Map<string, readonly Shape[]>;
  /** What remains of a shape beside a schema. */
  readonly narrowed: Map<Shape, Map<JsonSchema, readonly Shape[]>>;
  /** Numbers schema objects, so that conjunctions can be told apart. */
  readonly ids: Map<JsonSchema, number>;
  /** Rules whose target is still to be compiled. */
  readonly pending: (() => void)[];
  /** Alternatives were left out somewhere, so a contradiction may only seem to be one. */
  hasThinned: boolean;
  /** How many times the usual number of alternatives is kept. */
  readonly alternativesScale: number;
  /** Counts down; a schema that costs more is refused instead of holding up everybody. */
  workLeft: number;
  /** The node for a conjunction; compiled once, later, so that schemas may be recursive. */
  readonly ruleFor: (conjunction: Conjunction) => GrammarNode;
}

/** Steps of compilation; a typical tool takes a few hundred. */
const workMax = 100_000;
/** A pattern may be one that only a time limit ends: all matching together may take two seconds. */
const workPerMatchingMs = 50;

export function createContext(
  root: JsonSchema,
  param: string | undefined,
  ruleFor: (context: CompileContext, conjunction: Conjunction) => GrammarNode,
  alternativesScale = 1,
): CompileContext {
  const context: CompileContext = {
    param,
    resolver: createReferenceResolver(root, param),
    uncompiled: new Set(),
    contradictions: [],
    rules: new Map(),
    shapes: new Map(),
    narrowed: new Map(),
    ids: new Map(),
    pending: [],
    hasThinned: false,
    alternativesScale,
    workLeft: workMax,
    ruleFor: (conjunction) => ruleFor(context, conjunction),
  };
  return context;
}

/** @throws ApiError `invalid_schema` when the schema multiplies beyond measure. */
export function spendWork(context: CompileContext, path: string, amount = 1): void {
  context.workLeft -= amount;
  if (context.workLeft < 0) {
    const problem = 'the combinations of references, allOf and anyOf multiply to more than can be compiled';
    throw createSchemaError(path, problem, context.param);
  }
}

/**
 * `matchesPattern`, for what a schema names or lists itself.
 *
 * @throws ApiError `invalid_schema` when there is too much of it, or the patterns take too long.
 */
export function matchesWithinWork(
  context: CompileContext,
  path: string,
  { source, text }: { readonly source: string; readonly text: string },
): boolean {
  const startedAt = performance.now();
  const isMatch = matchesPattern(source, text);
  context.workLeft -= (performance.now() - startedAt) * workPerMatchingMs;
  if (context.workLeft >= 0) return isMatch;
  const problem = 'its patterns take too long to match against the names and values that it lists';
  throw createSchemaError(path, problem, context.param);
}

/** The same for equal conjunctions. */
export function keyOfConjunction(context: CompileContext, conjunction: Conjunction): string {
  const ids = conjunction.map(({ schema }) => {
    let id = context.ids.get(schema);
    if (id === undefined) {
      id = context.ids.size;
      context.ids.set(schema, id);
    }
    return id;
  });
  return [...new Set(ids)].toSorted((a, b) => a - b).join();
}
