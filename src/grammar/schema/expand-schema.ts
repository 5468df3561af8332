/** Works out `$ref`, `allOf`, `anyOf`, `oneOf` and what else combines schemas, into alternative shapes. */
import type { JsonSchema } from '../../chat/types.ts';
import { type CompileContext, type Conjunction, keyOfConjunction, spendWork } from './compile-context.ts';
import { arePairwiseDisjoint } from './disjoint-shapes.ts';
import {
  createSchemaError,
  isArray,
  isObject,
  isSchema,
  joinPath,
  keywordOf,
  type LocatedSchema,
  type SchemaObject,
} from './located-schema.ts';
import { readShape } from './read-shape.ts';
import { createOpenShape, decodeTypes, meetShapes, type Shape } from './shape.ts';

/** Alternatives of one place. */
const shapesMax = 600;
/** Alternatives where several choices multiply. */
const productMax = 100;

/** The alternatives of a conjunction; empty = nothing satisfies it. */
export function expandConjunction(context: CompileContext, conjunction: Conjunction): readonly Shape[] {
  const key = keyOfConjunction(context, conjunction);
  const known = context.shapes.get(key);
  if (known !== undefined) return known;
  let shapes: readonly Shape[] = [createOpenShape(conjunction[0]?.path ?? '')];
  for (const located of conjunction) shapes = applySchema(context, shapes, located, new Set());
  context.shapes.set(key, shapes);
  return shapes;
}

/** The given alternatives, each narrowed by one more schema. `trail` holds the schemas being applied. */
function applySchema(
  context: CompileContext,
  shapes: readonly Shape[],
  located: LocatedSchema,
  trail: ReadonlySet<JsonSchema>,
): readonly Shape[] {
  const { schema, path } = located;
  if (schema === true) return shapes;
  if (schema === false) return [];
  if (trail.has(schema)) {
    throw createSchemaError(path, 'the schema refers to itself without anything in between', context.param);
  }
  const inside = new Set(trail).add(schema);
  const narrowed = shapes.flatMap((shape) => narrowOnce(context, shape, schema, path, inside));
  const isProduct = shapes.length > 1 && narrowed.length > shapes.length;
  return thinOut(
    context,
    [...new Set(narrowed)],
    isProduct ? Math.max(productMax, shapes.length) : shapesMax,
  );
}

/** Remembered for each shape and schema: definitions that are referred to again and again cost once. */
function narrowOnce(
  context: CompileContext,
  shape: Shape,
  schema: SchemaObject,
  path: string,
  trail: ReadonlySet<JsonSchema>,
): readonly Shape[] {
  const results = context.narrowed.get(shape) ?? new Map<JsonSchema, readonly Shape[]>();
  context.narrowed.set(shape, results);
  const known = results.get(schema);
  if (known !== undefined) return known;
  spendWork(context, path);
  const result = narrow(context, shape, { schema, path }, schema, trail);
  results.set(schema, result);
  return result;
}

function narrow(
  context: CompileContext,
  shape: Shape,
  located: LocatedSchema,
  schema: SchemaObject,
  trail: ReadonlySet<JsonSchema>,
): readonly Shape[] {
  const { path } = located;
  const own = readShape(schema, path);
  let narrowed = own === undefined ? [shape] : meetAll(context, [shape], own);
  narrowed = applyReferences(context, narrowed, located, schema, trail);
  for (const part of listOf(schema, path, 'allOf')) narrowed = applySchema(context, narrowed, part, trail);
  const anyOf = listOf(schema, path, 'anyOf');
  if (anyOf.length > 0) narrowed = thinOut(context, applyChoice(context, narrowed, anyOf, trail).flat());
  narrowed = applyOneOf(context, narrowed, located, schema, trail);
  narrowed = applyNot(context, narrowed, schema, path);
  narrowed = applyDependentRequired(context, narrowed, schema, path);
  noteUncompiled(context, schema, path);
  return narrowed;
}

function meetAll(context: CompileContext, shapes: readonly Shape[], own: Shape): readonly Shape[] {
  const met = shapes.map((shape) => meetShapes(shape, own)).filter((shape) => shape.types !== 0);
  if (met.length === 0 && shapes.length > 0) {
    context.contradictions.push({ path: own.path, problem: 'no type is left that all schemas here allow' });
  }
  return met.map((shape) => (shape.path === '' ? { ...shape, path: own.path } : shape));
}

function listOf(schema: SchemaObject, path: string, keyword: string): readonly LocatedSchema[] {
  const list = keywordOf(schema, keyword);
  if (!isArray(list)) return [];
  return list.filter(isSchema).map((item, i) => ({ schema: item, path: joinPath(path, keyword, i) }));
}

function applyReferences(
  context: CompileContext,
  shapes: readonly Shape[],
  { path }: LocatedSchema,
  schema: SchemaObject,
  trail: ReadonlySet<JsonSchema>,
): readonly Shape[] {
  let narrowed = shapes;
  for (const keyword of ['$ref', '$dynamicRef']) {
    const reference = keywordOf(schema, keyword);
    if (typeof reference !== 'string') continue;
    const target = context.resolver.resolve(schema, joinPath(path, keyword), reference);
    narrowed = applySchema(context, narrowed, target, trail);
    // A dynamic reference may mean another schema in another context; here it is read as a plain one.
    if (keyword === '$dynamicRef') context.uncompiled.add(joinPath(path, keyword));
  }
  return narrowed;
}

/** The alternatives of each branch. */
function applyChoice(
  context: CompileContext,
  shapes: readonly Shape[],
  branches: readonly LocatedSchema[],
  trail: ReadonlySet<JsonSchema>,
): readonly (readonly Shape[])[] {
  return branches.map((branch) => applySchema(context, shapes, branch, trail));
}

/** Any part of the alternatives is as valid as all: too many are thinned out evenly. */
function thinOut(context: CompileContext, shapes: readonly Shape[], usualMax = shapesMax): readonly Shape[] {
  const countMax = usualMax * context.alternativesScale;
  if (shapes.length <= countMax) return shapes;
  context.hasThinned = true;
  const stride = shapes.length / countMax;
  return Array.from({ length: countMax }, (_, i) => shapes[Math.floor(i * stride)]).filter(
    (shape) => shape !== undefined,
  );
}

function applyOneOf(
  context: CompileContext,
  shapes: readonly Shape[],
  { path }: LocatedSchema,
  schema: SchemaObject,
  trail: ReadonlySet<JsonSchema>,
): readonly Shape[] {
  const branches = listOf(schema, path, 'oneOf');
  if (branches.length === 0) return shapes;
  const alternatives = applyChoice(context, shapes, branches, trail);
  if (!arePairwiseDisjoint(context, alternatives)) context.uncompiled.add(joinPath(path, 'oneOf'));
  return thinOut(context, alternatives.flat());
}

/** Only two forms of `not` can be compiled: of a type, and of a required member. */
function applyNot(
  context: CompileContext,
  shapes: readonly Shape[],
  schema: SchemaObject,
  path: string,
): readonly Shape[] {
  const not = keywordOf(schema, 'not');
  if (not === undefined || not === false) return shapes;
  if (not === true) return [];
  const [keyword, ...others] = isObject(not) ? Object.keys(not) : [];
  if (!isObject(not) || keyword === undefined) return [];
  if (others.length === 0 && keyword === 'type' && not[keyword] !== 'integer') {
    const without = decodeTypes(not[keyword] ?? []);
    const isNumberWhole = (without & 4) === 0 || (without & 8) !== 0;
    if (isNumberWhole) {
      return shapes
        .map((shape) => ({ ...shape, types: shape.types & ~without }))
        .filter(({ types }) => types !== 0);
    }
  }
  context.uncompiled.add(joinPath(path, 'not'));
  return shapes;
}

/** Either the member is absent, or those that depend on it are there too. */
function applyDependentRequired(
  context: CompileContext,
  shapes: readonly Shape[],
  schema: SchemaObject,
  path: string,
): readonly Shape[] {
  const dependencies = keywordOf(schema, 'dependentRequired');
  if (!isObject(dependencies)) return shapes;
  let narrowed = shapes;
  for (const [name, needed] of Object.entries(dependencies)) {
    if (narrowed.length * 2 > shapesMax) {
      context.uncompiled.add(joinPath(path, 'dependentRequired', name));
      continue;
    }
    spendWork(context, path, narrowed.length);
    const names = isArray(needed) ? needed.filter((item) => typeof item === 'string') : [];
    const place = joinPath(path, 'dependentRequired', name);
    const absent = { properties: { [name]: false } };
    const present = { required: [name, ...names] };
    const options = [absent, present]
      .map((option) => readShape(option, place))
      .filter((own) => own !== undefined);
    narrowed = options.flatMap((own) => narrowed.map((shape) => meetShapes(shape, own)));
  }
  return narrowed;
}

const neverCompiled = [
  'if',
  'contains',
  'dependentSchemas',
  'dependencies',
  'unevaluatedItems',
  'unevaluatedProperties',
  '$recursiveRef',
];

function noteUncompiled(context: CompileContext, schema: SchemaObject, path: string): void {
  for (const keyword of neverCompiled) {
    const value = keywordOf(schema, keyword);
    if (value !== undefined && value !== true) context.uncompiled.add(joinPath(path, keyword));
  }
}
