/** Rewrites what older drafts and OpenAPI wrote differently, where a validator for 2020-12 would choke on it. */
import type { JsonSchema, JsonValue } from '../../chat/types.ts';
import { isArray, isObject, isSchema, keywordOf, type SchemaObject } from './located-schema.ts';

export interface UpgradedSchema {
  readonly schema: JsonSchema;
  /** Some `items` is a list, as up to draft 2019-09: it has to be read by that draft's rules. */
  readonly hasOldTuples: boolean;
}

/**
 * Drops boolean `exclusiveMinimum`/`exclusiveMaximum` (draft 4) in favour of numbers, draft 4's `id`, `$schema`
 * (we decide the dialect), and `nullable` beside no `type`. Pointers into the schema keep their meaning.
 */
export function upgradeSchema(schema: JsonSchema): UpgradedSchema {
  let hasOldTuples = false;
  const upgrade = (at: JsonSchema): JsonSchema => {
    if (typeof at === 'boolean') return at;
    hasOldTuples ||= isArray(keywordOf(at, 'items'));
    const entries = Object.entries(at).map(
      ([keyword, value]) => [keyword, upgradeValue(keyword, value)] as const,
    );
    return Object.fromEntries(entries.flatMap(([keyword, value]) => upgradeKeyword(at, keyword, value)));
  };
  const upgradeValue = (keyword: string, value: JsonValue): JsonValue => {
    if (schemaKeywords.has(keyword) && isSchema(value)) return upgrade(value);
    if (listKeywords.has(keyword) && isArray(value))
      return value.map((item) => (isSchema(item) ? upgrade(item) : item));
    if (!mapKeywords.has(keyword) || !isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, isSchema(item) ? upgrade(item) : item]),
    );
  };
  return { schema: upgrade(schema), hasOldTuples };
}

const schemaKeywords = new Set(
  'additionalProperties additionalItems items contains not if then else propertyNames unevaluatedItems unevaluatedProperties'.split(
    ' ',
  ),
);
const listKeywords = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items']);
const mapKeywords = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);

function upgradeKeyword(
  schema: SchemaObject,
  keyword: string,
  value: JsonValue,
): readonly [string, JsonValue][] {
  const hasExclusiveMinimum = keywordOf(schema, 'exclusiveMinimum') === true;
  const hasExclusiveMaximum = keywordOf(schema, 'exclusiveMaximum') === true;
  if (keyword === 'minimum' && hasExclusiveMinimum) return [['exclusiveMinimum', value]];
  if (keyword === 'maximum' && hasExclusiveMaximum) return [['exclusiveMaximum', value]];
  if ((keyword === 'exclusiveMinimum' || keyword === 'exclusiveMaximum') && typeof value === 'boolean')
    return [];
  if (keyword === 'id' || keyword === '$schema') return [];
  if (keyword === 'nullable' && keywordOf(schema, 'type') === undefined) return [];
  return [[keyword, value]];
}
