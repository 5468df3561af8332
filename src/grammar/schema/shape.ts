/**
 * What a conjunction of schemas demands, in one record: JSON Schema's keywords after `$ref`, `allOf` and `anyOf`
 * are worked out. A schema is a list of alternative shapes.
 */
import type { JsonValue } from '../../chat/types.ts';
import type { NumberBounds } from '../automaton/bounded-number-state.ts';
import type { LocatedSchema } from './located-schema.ts';

/** JSON types as bits; a number is an integer or a fraction. */
export const typeBits = {
  null: 1,
  boolean: 2,
  integer: 4,
  fraction: 8,
  string: 16,
  array: 32,
  object: 64,
} as const;
export const numberBits = typeBits.integer | typeBits.fraction;
export const allBits = 127;

export interface Pattern {
  readonly source: string;
  readonly path: string;
}

/** The object keywords of one schema: `additionalProperties` looks at its own neighbours only. */
export interface ObjectGroup {
  readonly properties: ReadonlyMap<string, LocatedSchema>;
  readonly patterns: readonly (Pattern & { readonly value: LocatedSchema })[];
  readonly additional: LocatedSchema | undefined;
}

/** The array keywords of one schema. */
export interface ArrayGroup {
  readonly prefix: readonly LocatedSchema[];
  readonly items: LocatedSchema | undefined;
}

export interface Shape {
  /** Where the first schema that shaped it stands. */
  readonly path: string;
  readonly types: number;
  /** Null = not limited to certain values. */
  readonly values: readonly JsonValue[] | null;
  readonly numbers: Omit<NumberBounds, 'isInteger'>;
  readonly lengthMin: number;
  readonly lengthMax: number;
  readonly patterns: readonly Pattern[];
  readonly format: string | undefined;
  readonly itemsMin: number;
  readonly itemsMax: number;
  readonly arrays: readonly ArrayGroup[];
  /** Where `uniqueItems` stands; undefined = items may repeat. */
  readonly uniquePath: string | undefined;
  readonly propertiesMin: number;
  readonly propertiesMax: number;
  readonly required: readonly string[];
  readonly objects: readonly ObjectGroup[];
  readonly names: readonly LocatedSchema[];
}

/** Allows every value. */
export const createOpenShape = (path: string): Shape => ({
  path,
  types: allBits,
  values: null,
  numbers: {
    minimum: -Infinity,
    maximum: Infinity,
    isMinimumExclusive: false,
    isMaximumExclusive: false,
    multiplesOf: [],
  },
  lengthMin: 0,
  lengthMax: Infinity,
  patterns: [],
  format: undefined,
  itemsMin: 0,
  itemsMax: Infinity,
  arrays: [],
  uniquePath: undefined,
  propertiesMin: 0,
  propertiesMax: Infinity,
  required: [],
  objects: [],
  names: [],
});

/** Demands what both demand. */
export function meetShapes(a: Shape, b: Shape): Shape {
  return {
    path: a.path,
    types: a.types & b.types,
    values: meetValues(a.values, b.values),
    numbers: meetNumbers(a.numbers, b.numbers),
    lengthMin: Math.max(a.lengthMin, b.lengthMin),
    lengthMax: Math.min(a.lengthMax, b.lengthMax),
    patterns: joinLists(a.patterns, b.patterns),
    format: a.format ?? b.format,
    itemsMin: Math.max(a.itemsMin, b.itemsMin),
    itemsMax: Math.min(a.itemsMax, b.itemsMax),
    arrays: joinLists(a.arrays, b.arrays),
    uniquePath: a.uniquePath ?? b.uniquePath,
    propertiesMin: Math.max(a.propertiesMin, b.propertiesMin),
    propertiesMax: Math.min(a.propertiesMax, b.propertiesMax),
    required: [...new Set([...a.required, ...b.required])],
    objects: joinLists(a.objects, b.objects),
    names: joinLists(a.names, b.names),
  };
}

function joinLists<Item>(a: readonly Item[], b: readonly Item[]): readonly Item[] {
  if (a.length === 0) return b;
  return b.length === 0 ? a : [...a, ...b];
}

function meetValues(a: Shape['values'], b: Shape['values']): Shape['values'] {
  if (a === null) return b;
  if (b === null) return a;
  const wanted = new Set(b.map(canonicalText));
  return a.filter((value) => wanted.has(canonicalText(value)));
}

function meetNumbers(a: Shape['numbers'], b: Shape['numbers']): Shape['numbers'] {
  const isMinimumA = a.minimum > b.minimum || (a.minimum === b.minimum && a.isMinimumExclusive);
  const isMaximumA = a.maximum < b.maximum || (a.maximum === b.maximum && a.isMaximumExclusive);
  const lower = isMinimumA ? a : b;
  const upper = isMaximumA ? a : b;
  return {
    minimum: lower.minimum,
    isMinimumExclusive: lower.isMinimumExclusive,
    maximum: upper.maximum,
    isMaximumExclusive: upper.isMaximumExclusive,
    multiplesOf: [...new Set([...a.multiplesOf, ...b.multiplesOf])],
  };
}

/** Equal for equal JSON values, whatever the order of their members. */
export function canonicalText(value: JsonValue): string {
  return JSON.stringify(value, (_, inner: JsonValue) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** The type bit of a value. */
export function typeBitOf(value: JsonValue): number {
  if (value === null) return typeBits.null;
  if (Array.isArray(value)) return typeBits.array;
  switch (typeof value) {
    case 'boolean':
      return typeBits.boolean;
    case 'string':
      return typeBits.string;
    case 'number':
      return Number.isInteger(value) ? typeBits.integer : typeBits.fraction;
    default:
      return typeBits.object;
  }
}

/** The bits of a `type` keyword. */
export function decodeTypes(value: JsonValue): number {
  const names: readonly JsonValue[] = Array.isArray(value) ? value : [value];
  return names.reduce<number>((bits, name) => bits | bitsOfName(name), 0);
}

function bitsOfName(name: JsonValue): number {
  if (name === 'number') return numberBits;
  const known = Object.entries(typeBits).find(([key]) => key === name && key !== 'fraction');
  return known?.[1] ?? 0;
}
