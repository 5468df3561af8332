/** Objects of a shape. */
import type { ExtraMembers, GrammarNode, ObjectMember, ObjectNode } from '../automaton/node.ts';
import { createExtraKey, isEndless, openFrame } from '../automaton/object-frames.ts';
import { completeString, type StringMachine } from '../automaton/string-state.ts';
import { type CompileContext, type Conjunction, spendWork } from './compile-context.ts';
import { createMachine } from './compile-scalar.ts';
import { expandConjunction } from './expand-schema.ts';
import { listValues } from './list-values.ts';
import { automatonFor, matchesPattern } from './match-pattern.ts';
import { matchesShape } from './matches-shape.ts';
import { propertyConjunction } from './object-groups.ts';
import { type ObjectGroup, type Pattern, type Shape, typeBits } from './shape.ts';

/** A name that JavaScript objects treat specially: validators disagree about it, so it is never written. */
const unsafeName = '__proto__';

const freeKey: StringMachine = {
  lengthMin: 0,
  lengthMax: Infinity,
  pattern: null,
  guard: null,
  isTextKept: true,
};

export function compileObject(context: CompileContext, shape: Shape): GrammarNode {
  const nameShapes = expandConjunction(context, [...shape.names]);
  const listedNames =
    shape.names.length === 0 ? [] : nameShapes.flatMap((names) => listedStrings(context, names));
  const declared = new Set([
    ...shape.objects.flatMap((group) => [...group.properties.keys()]),
    ...shape.required,
    ...listedNames,
  ]);
  spendWork(context, shape.path, declared.size * Math.max(1, shape.objects.length));
  const isNameAllowed = (name: string): boolean =>
    shape.names.length === 0 || nameShapes.some((names) => matchesShape(context, names, name));
  const members = [...declared]
    .filter((name) => name !== unsafeName && (isNameAllowed(name) || shape.required.includes(name)))
    .map((name): ObjectMember => {
      const conjunction = isNameAllowed(name)
        ? propertyConjunction(context, shape, name)
        : [{ schema: false, path: shape.path }];
      return { name, value: context.ruleFor(conjunction), isRequired: shape.required.includes(name) };
    });
  if (shape.required.includes(unsafeName)) context.uncompiled.add(shape.path);
  noteContradictions(context, shape);
  const bare = createNode(shape, members, new Set([...declared, unsafeName]));
  bare.extras = compileExtras(context, shape, members.length, nameShapes).map((extra) =>
    measure(bare, extra),
  );
  return bare;
}

function createNode(
  shape: Shape,
  members: readonly ObjectMember[],
  reservedNames: ReadonlySet<string>,
): ObjectNode {
  return {
    kind: 'object',
    members,
    extras: [],
    countMin: shape.propertiesMin,
    countMax: shape.propertiesMax,
    reservedNames,
    keys: null,
    cost: Infinity,
  };
}

function noteContradictions(context: CompileContext, shape: Shape): void {
  const { path, required, propertiesMin, propertiesMax } = shape;
  if (propertiesMin > propertiesMax) {
    context.contradictions.push({ path, problem: 'minProperties is greater than maxProperties' });
  }
  if (required.length > propertiesMax) {
    context.contradictions.push({ path, problem: 'more members are required than maxProperties allows' });
  }
  for (const name of required) {
    if (expandConjunction(context, propertyConjunction(context, shape, name)).length > 0) continue;
    context.contradictions.push({ path, problem: `the required member '${name}' cannot have any value` });
  }
}

function listedStrings(context: CompileContext, names: Shape): readonly string[] {
  const listed = listValues(context, { ...names, types: names.types & typeBits.string });
  return listed.values.filter((value) => typeof value === 'string');
}

type Extra = Omit<ExtraMembers, 'capacity'>;

/** Which undeclared members are offered. An object with declared members gets others only when they are asked for. */
function compileExtras(
  context: CompileContext,
  shape: Shape,
  memberCount: number,
  nameShapes: readonly Shape[],
): readonly Extra[] {
  const { objects, propertiesMin } = shape;
  const hasProperties = objects.some(({ properties }) => properties.size > 0);
  const isAskedFor = objects.some(
    ({ additional, patterns }) => additional !== undefined || patterns.length > 0,
  );
  if (hasProperties && !isAskedFor && propertiesMin <= memberCount) return [];
  const patterns = objects.flatMap((group) => group.patterns);
  if (patterns.length > 0) return compilePatternExtras(context, shape, nameShapes);
  const value = context.ruleFor(
    objects.flatMap(({ additional }) => (additional === undefined ? [] : [additional])),
  );
  if (shape.names.length === 0) return [{ key: freeKey, value }];
  return nameShapes
    .filter((names) => names.values === null && (names.types & typeBits.string) !== 0)
    .map((names) => ({ key: { ...createMachine(context, names), isTextKept: true }, value }));
}

/**
 * Members whose names match one of the patterns, and no other: then it is certain which schemas apply. Names are judged
 * at every character that is generated, so a pattern that only the JavaScript engine can judge, which may take long, is
 * left to the check of the finished text.
 */
function compilePatternExtras(
  context: CompileContext,
  shape: Shape,
  nameShapes: readonly Shape[],
): readonly Extra[] {
  const patterns = shape.objects.flatMap((group) => group.patterns);
  const sources = [...new Set(patterns.map(({ source }) => source))];
  return sources.flatMap((source): readonly Extra[] => {
    const automaton = automatonFor(source);
    if (automaton === undefined) return [];
    const others = listExpressed(context, patterns).filter((other) => other.source !== source);
    const isAlone = (name: string): boolean => !others.some((other) => matchesPattern(other.source, name));
    const allowed = nameShapes.map((names) => {
      return { ...names, patterns: listExpressed(context, names.patterns) };
    });
    const isNameAllowed = (name: string): boolean =>
      shape.names.length === 0 || allowed.some((names) => matchesShape(context, names, name));
    const guard = others.length === 0 && shape.names.length === 0 ? null : isBoth(isAlone, isNameAllowed);
    const value = context.ruleFor(shape.objects.flatMap((group) => schemasMatching(group, source)));
    return [{ key: { ...freeKey, pattern: automaton, guard }, value }];
  });
}

/** Those that have an automaton; the others are noted as not compiled. */
function listExpressed(context: CompileContext, patterns: readonly Pattern[]): readonly Pattern[] {
  return patterns.filter(({ source, path }) => {
    const isExpressed = automatonFor(source) !== undefined;
    if (!isExpressed) context.uncompiled.add(path);
    return isExpressed;
  });
}

const isBoth =
  (a: (name: string) => boolean, b: (name: string) => boolean) =>
  (name: string): boolean =>
    a(name) && b(name);

function schemasMatching(group: ObjectGroup, source: string): Conjunction {
  const own = group.patterns.filter((pattern) => pattern.source === source).map(({ value }) => value);
  if (own.length > 0) return own;
  return group.additional === undefined ? [] : [group.additional];
}

/** Counts the names of extra members as far as the minimum needs; enough of them count as endless. */
function measure(node: ObjectNode, extra: Extra): ExtraMembers {
  if (isEndless(extra.key)) return { ...extra, capacity: Infinity };
  const needed = Math.min(node.countMin + 1, 200);
  const names = new Set<string>();
  for (let i = 0; i < needed; i++) {
    const start = createExtraKey({ ...openFrame(node), names }, { ...extra, capacity: 0 });
    if (start === null) return { ...extra, capacity: names.size };
    names.add(String(JSON.parse(completeString(start))));
  }
  return { ...extra, capacity: Infinity };
}
