/** Judges a finished value by a shape: which entries of an `enum` remain beside the other keywords. */
import type { JsonValue } from '../../chat/types.ts';
import { type CompileContext, type Conjunction, matchesWithinWork, spendWork } from './compile-context.ts';
import { expandConjunction } from './expand-schema.ts';
import { isArray } from './located-schema.ts';
import { propertyConjunction } from './object-groups.ts';
import { canonicalText, type Shape, typeBitOf } from './shape.ts';

/** Keywords that the grammar does not express are not looked at. */
export function matchesShape(context: CompileContext, shape: Shape, value: JsonValue): boolean {
  spendWork(context, shape.path);
  if ((shape.types & typeBitOf(value)) === 0) return false;
  if (shape.values !== null && !textsOf(shape.values).has(canonicalText(value))) return false;
  if (typeof value === 'number') return matchesNumber(shape, value);
  if (typeof value === 'string') return matchesString(context, shape, value);
  if (typeof value !== 'object' || value === null) return true;
  return isArray(value) ? matchesArray(context, shape, value) : matchesObject(context, shape, value);
}

const knownTexts = new WeakMap<readonly JsonValue[], ReadonlySet<string>>();

function textsOf(values: readonly JsonValue[]): ReadonlySet<string> {
  const texts = knownTexts.get(values) ?? new Set(values.map(canonicalText));
  knownTexts.set(values, texts);
  return texts;
}

const matchesConjunction = (context: CompileContext, conjunction: Conjunction, value: JsonValue): boolean =>
  expandConjunction(context, conjunction).some((shape) => matchesShape(context, shape, value));

function matchesNumber({ numbers }: Shape, value: number): boolean {
  if (value < numbers.minimum || (numbers.isMinimumExclusive && value === numbers.minimum)) return false;
  if (value > numbers.maximum || (numbers.isMaximumExclusive && value === numbers.maximum)) return false;
  return numbers.multiplesOf.every((of) => Number.isInteger(value / of));
}

function matchesString(context: CompileContext, shape: Shape, value: string): boolean {
  const length = [...value].length;
  if (length < shape.lengthMin || length > shape.lengthMax) return false;
  return shape.patterns.every(({ source, path }) =>
    matchesWithinWork(context, path, { source, text: value }),
  );
}

function matchesArray(context: CompileContext, shape: Shape, value: readonly JsonValue[]): boolean {
  if (value.length < shape.itemsMin || value.length > shape.itemsMax) return false;
  if (shape.uniquePath !== undefined && new Set(value.map(canonicalText)).size < value.length) return false;
  return value.every((item, i) => matchesConjunction(context, itemConjunction(shape, i), item));
}

/** All schemas that apply to the item at a position. */
export const itemConjunction = (shape: Shape, position: number): Conjunction =>
  shape.arrays.flatMap((group) => {
    const found = group.prefix[position] ?? group.items;
    return found === undefined ? [] : [found];
  });

function matchesObject(
  context: CompileContext,
  shape: Shape,
  value: { readonly [key: string]: JsonValue },
): boolean {
  const entries = Object.entries(value);
  if (entries.length < shape.propertiesMin || entries.length > shape.propertiesMax) return false;
  if (!shape.required.every((name) => Object.hasOwn(value, name))) return false;
  return entries.every(
    ([name, inner]) =>
      matchesConjunction(context, shape.names, name) &&
      matchesConjunction(context, propertyConjunction(context, shape, name), inner),
  );
}
