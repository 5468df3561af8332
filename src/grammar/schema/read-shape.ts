/** Reads the keywords of one schema object, without its references and combinations, into a shape. */
import type { JsonValue } from '../../chat/types.ts';
import {
  isArray,
  isObject,
  isSchema,
  joinPath,
  keywordOf,
  type LocatedSchema,
  type SchemaObject,
} from './located-schema.ts';
import {
  type ArrayGroup,
  allBits,
  createOpenShape,
  decodeTypes,
  type ObjectGroup,
  type Shape,
  typeBits,
} from './shape.ts';

const plainKeywords = new Set([
  'type',
  'enum',
  'const',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'format',
  'minItems',
  'maxItems',
  'items',
  'prefixItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'required',
  'properties',
  'patternProperties',
  'additionalProperties',
  'propertyNames',
  'unevaluatedProperties',
]);

/** Undefined = the schema has no keyword that shapes a value by itself. */
export function readShape(schema: SchemaObject, path: string): Shape | undefined {
  if (!Object.keys(schema).some((keyword) => plainKeywords.has(keyword))) return undefined;
  const pattern = keywordOf(schema, 'pattern');
  const format = keywordOf(schema, 'format');
  const names = locate(schema, path, 'propertyNames');
  const required = keywordOf(schema, 'required');
  const objects = readObjectGroup(schema, path);
  const arrays = readArrayGroup(schema, path);
  return {
    ...createOpenShape(path),
    types: readTypes(schema),
    values: readValues(schema),
    numbers: readNumbers(schema),
    lengthMin: readNumber(schema, 'minLength', 0),
    lengthMax: readNumber(schema, 'maxLength', Infinity),
    patterns: typeof pattern === 'string' ? [{ source: pattern, path: joinPath(path, 'pattern') }] : [],
    format: typeof format === 'string' ? format : undefined,
    itemsMin: readNumber(schema, 'minItems', 0),
    itemsMax: readNumber(schema, 'maxItems', Infinity),
    arrays: arrays === undefined ? [] : [arrays],
    uniquePath: keywordOf(schema, 'uniqueItems') === true ? joinPath(path, 'uniqueItems') : undefined,
    propertiesMin: readNumber(schema, 'minProperties', 0),
    propertiesMax: readNumber(schema, 'maxProperties', Infinity),
    required: isArray(required) ? required.filter((name) => typeof name === 'string') : [],
    objects: objects === undefined ? [] : [objects],
    names: names === undefined ? [] : [names],
  };
}

function readTypes(schema: SchemaObject): number {
  const type = keywordOf(schema, 'type');
  if (type === undefined) return allBits;
  // OpenAPI 3.0; beside a `type` only, as its specification says.
  const nullBit = keywordOf(schema, 'nullable') === true ? typeBits.null : 0;
  return decodeTypes(type) | nullBit;
}

function readValues(schema: SchemaObject): readonly JsonValue[] | null {
  const values = keywordOf(schema, 'enum');
  const constant = keywordOf(schema, 'const');
  if (constant === undefined) return isArray(values) ? values : null;
  if (!isArray(values)) return [constant];
  const text = JSON.stringify(constant);
  return values.filter((value) => JSON.stringify(value) === text);
}

function readNumber(schema: SchemaObject, keyword: string, otherwise: number): number {
  const value = keywordOf(schema, keyword);
  return typeof value === 'number' ? value : otherwise;
}

function readNumbers(schema: SchemaObject): Shape['numbers'] {
  const exclusiveMinimum = keywordOf(schema, 'exclusiveMinimum');
  const exclusiveMaximum = keywordOf(schema, 'exclusiveMaximum');
  const minimum = readNumber(schema, 'minimum', -Infinity);
  const maximum = readNumber(schema, 'maximum', Infinity);
  const above = typeof exclusiveMinimum === 'number' ? exclusiveMinimum : -Infinity;
  const under = typeof exclusiveMaximum === 'number' ? exclusiveMaximum : Infinity;
  const multipleOf = keywordOf(schema, 'multipleOf');
  return {
    minimum: Math.max(minimum, above),
    maximum: Math.min(maximum, under),
    isMinimumExclusive: exclusiveMinimum === true || (above >= minimum && above !== -Infinity),
    isMaximumExclusive: exclusiveMaximum === true || (under <= maximum && under !== Infinity),
    multiplesOf: typeof multipleOf === 'number' ? [multipleOf] : [],
  };
}

function locate(schema: SchemaObject, path: string, keyword: string): LocatedSchema | undefined {
  const value = keywordOf(schema, keyword);
  return isSchema(value) ? { schema: value, path: joinPath(path, keyword) } : undefined;
}

function readArrayGroup(schema: SchemaObject, path: string): ArrayGroup | undefined {
  const items = keywordOf(schema, 'items');
  // Drafts up to 7 wrote tuples as a list in `items`, and what follows as `additionalItems`.
  const isOldTuple = isArray(items);
  const prefix = isOldTuple ? items : keywordOf(schema, 'prefixItems');
  const rest = locate(schema, path, isOldTuple ? 'additionalItems' : 'items');
  if (prefix === undefined && rest === undefined) return undefined;
  const prefixPath = joinPath(path, isOldTuple ? 'items' : 'prefixItems');
  const schemas = (isArray(prefix) ? prefix : []).filter(isSchema);
  return { prefix: schemas.map((item, i) => ({ schema: item, path: joinPath(prefixPath, i) })), items: rest };
}

function readObjectGroup(schema: SchemaObject, path: string): ObjectGroup | undefined {
  const properties = schemaEntries(schema, path, 'properties');
  const patterns = schemaEntries(schema, path, 'patternProperties');
  const additional = locate(schema, path, 'additionalProperties');
  if (properties.length === 0 && patterns.length === 0 && additional === undefined) return undefined;
  return {
    properties: new Map(properties),
    patterns: patterns.map(([source, value]) => ({ source, path: value.path, value })),
    additional,
  };
}

function schemaEntries(
  schema: SchemaObject,
  path: string,
  keyword: string,
): readonly [string, LocatedSchema][] {
  const value = keywordOf(schema, keyword);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]): [string, LocatedSchema][] =>
    isSchema(inner) ? [[name, { schema: inner, path: joinPath(path, keyword, name) }]] : [],
  );
}
