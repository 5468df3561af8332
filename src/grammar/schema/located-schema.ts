/** A schema together with where it stands; every message about a schema names that place. */
import type { JsonSchema, JsonValue } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';

export interface LocatedSchema {
  readonly schema: JsonSchema;
  /** Like `properties.city.anyOf.0`; empty for the root. */
  readonly path: string;
}

export type SchemaObject = Exclude<JsonSchema, boolean>;

export const joinPath = (path: string, ...segments: readonly (string | number)[]): string =>
  [...(path === '' ? [] : [path]), ...segments].join('.');

/** The error for a schema that cannot be used. `param` is the request field that holds the schema. */
export function createSchemaError(path: string, problem: string, param: string | undefined): ApiError {
  // Names of members come from callers; line breaks in them would garble logs.
  const shown = path.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
  const place = path === '' ? 'the root' : `path '${shown}'`;
  const message = `Invalid request: the JSON Schema cannot be used. At ${place}: ${problem}.`;
  return new ApiError('invalid_schema', param === undefined ? { message } : { message, param });
}

export const isObject = (value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A subschema's place holds an object or a boolean; `checkSchema` has refused anything else. */
export const isSchema = (value: JsonValue | undefined): value is JsonSchema =>
  typeof value === 'boolean' || isObject(value);

export const isArray = (value: JsonValue | undefined): value is readonly JsonValue[] => Array.isArray(value);

/** Own properties only: a schema may well use names such as `constructor`. */
export const keywordOf = (schema: SchemaObject, keyword: string): JsonValue | undefined =>
  Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;

const singleKeywords = [
  'additionalProperties',
  'additionalItems',
  'items',
  'contains',
  'not',
  'if',
  'then',
  'else',
  'propertyNames',
  'unevaluatedItems',
  'unevaluatedProperties',
];
const listKeywords = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'];
const mapKeywords = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];

/** The direct subschemas of a schema, in every place where draft 2020-12 (or draft 7) has one. */
export function* subschemasOf({ schema, path }: LocatedSchema): Generator<LocatedSchema> {
  if (typeof schema === 'boolean') return;
  for (const keyword of singleKeywords) {
    const value = keywordOf(schema, keyword);
    if (isSchema(value)) yield { schema: value, path: joinPath(path, keyword) };
  }
  for (const keyword of listKeywords) {
    const value = keywordOf(schema, keyword);
    if (!isArray(value)) continue;
    for (const [i, item] of value.entries()) {
      if (isSchema(item)) yield { schema: item, path: joinPath(path, keyword, i) };
    }
  }
  for (const keyword of mapKeywords) {
    const value = keywordOf(schema, keyword);
    if (!isObject(value)) continue;
    for (const [name, item] of Object.entries(value)) {
      if (isSchema(item)) yield { schema: item, path: joinPath(path, keyword, name) };
    }
  }
}
