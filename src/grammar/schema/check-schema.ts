/** Refuses schemas that are not well formed, naming the place. What it lets through, the compiler may trust. */
import type { JsonSchema, JsonValue } from '../../chat/types.ts';
import {
  createSchemaError,
  isArray,
  isObject,
  isSchema,
  joinPath,
  keywordOf,
  type LocatedSchema,
  type SchemaObject,
  subschemasOf,
} from './located-schema.ts';

/** Subschemas within each other; more would only serve to exhaust the stack. */
const nestingMax = 128;
/** Arrays and objects within each other anywhere in the schema, in listed values and examples too. */
const valueNestingMax = 500;
/** Subschemas in total. */
const subschemasMax = 20_000;

const typeNames = new Set(['null', 'boolean', 'integer', 'number', 'string', 'array', 'object']);

type Check = (value: JsonValue) => string | undefined;

const isString = (value: JsonValue): value is string => typeof value === 'string';
const must = (isValid: boolean, problem: string): string | undefined => (isValid ? undefined : problem);
const checkCount: Check = (value) =>
  must(typeof value === 'number' && Number.isInteger(value) && value >= 0, 'must be a non-negative integer');
const checkNumber: Check = (value) => must(Number.isFinite(value), 'must be a finite number');
const checkString: Check = (value) => must(isString(value), 'must be a string');
const checkStrings: Check = (value) =>
  must(isArray(value) && value.every(isString), 'must be an array of strings');
const checkSchemaPlace: Check = (value) => must(isSchema(value), 'must be an object or a boolean');
const checkSchemaList: Check = (value) =>
  must(isArray(value) && value.length > 0 && value.every(isSchema), 'must be a non-empty array of schemas');
const checkSchemaMap: Check = (value) =>
  must(isObject(value) && Object.values(value).every(isSchema), 'must be an object whose values are schemas');
/** Draft 4 had booleans beside `minimum` and `maximum`. */
const checkExclusive: Check = (value) => (typeof value === 'boolean' ? undefined : checkNumber(value));
const checkType: Check = (value) => {
  const names = isArray(value) ? value : [value];
  return must(
    names.length > 0 && names.every((name) => isString(name) && typeNames.has(name)),
    `must be one of ${[...typeNames].join(', ')}, or an array of them`,
  );
};
const checkPattern: Check = (value) =>
  must(isString(value) && createRegExp(value) !== undefined, 'must be a valid ECMA-262 regular expression');

const checks = new Map<string, Check>([
  ['type', checkType],
  ['enum', (value) => must(isArray(value) && value.length > 0, 'must be a non-empty array')],
  ['required', checkStrings],
  ['pattern', checkPattern],
  ['multipleOf', (value) => checkNumber(value) ?? must(Number(value) > 0, 'must be greater than 0')],
  ['minimum', checkNumber],
  ['maximum', checkNumber],
  ['exclusiveMinimum', checkExclusive],
  ['exclusiveMaximum', checkExclusive],
  ['uniqueItems', (value) => must(typeof value === 'boolean', 'must be a boolean')],
  [
    'items',
    (value) => (isArray(value) ? must(value.every(isSchema), 'must hold schemas') : checkSchemaPlace(value)),
  ],
  ['dependentRequired', (value) => must(isObject(value), 'must be an object') ?? checkLists(value)],
  ['patternProperties', (value) => checkSchemaMap(value) ?? checkPatterns(value)],
  ...['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'].map(
    (keyword) => [keyword, checkCount] as const,
  ),
  ...['minContains', 'maxContains'].map((keyword) => [keyword, checkCount] as const),
  ...['$ref', '$dynamicRef', '$id', '$anchor', '$dynamicAnchor', 'format'].map(
    (keyword) => [keyword, checkString] as const,
  ),
  ...['allOf', 'anyOf', 'oneOf', 'prefixItems'].map((keyword) => [keyword, checkSchemaList] as const),
  ...['properties', '$defs', 'definitions', 'dependentSchemas'].map(
    (keyword) => [keyword, checkSchemaMap] as const,
  ),
  ...['additionalProperties', 'additionalItems', 'contains', 'not', 'if', 'then', 'else'].map(
    (keyword) => [keyword, checkSchemaPlace] as const,
  ),
  ...['propertyNames', 'unevaluatedItems', 'unevaluatedProperties'].map(
    (keyword) => [keyword, checkSchemaPlace] as const,
  ),
]);

function checkLists(value: JsonValue): string | undefined {
  const lists = isObject(value) ? Object.values(value) : [];
  return must(
    lists.every((list) => checkStrings(list) === undefined),
    'must hold arrays of strings',
  );
}

function checkPatterns(value: JsonValue): string | undefined {
  const bad = Object.keys(isObject(value) ? value : {}).find((source) => createRegExp(source) === undefined);
  return bad === undefined ? undefined : `'${bad}' is not a valid ECMA-262 regular expression`;
}

/** With the u flag as draft 2020-12 asks, else without: clients write `\-` and the like. Undefined = not valid at all. */
export function createRegExp(source: string): RegExp | undefined {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(source, flags);
    } catch (thrown) {
      if (!(thrown instanceof SyntaxError)) throw thrown;
    }
  }
  return undefined;
}

/** @throws ApiError `invalid_schema` that names the first place where the schema is not well formed. */
export function checkSchema(schema: JsonSchema, param: string | undefined): void {
  if (!isSchema(schema)) throw createSchemaError('', 'a schema must be an object or a boolean', param);
  if (isNestedDeeper(schema, valueNestingMax)) {
    throw createSchemaError('', `arrays and objects are nested more than ${valueNestingMax} deep`, param);
  }
  let count = 0;
  const visit = (located: LocatedSchema, nesting: number): void => {
    count++;
    if (count > subschemasMax) {
      throw createSchemaError(located.path, `there are more than ${subschemasMax} subschemas`, param);
    }
    if (nesting > nestingMax) {
      throw createSchemaError(
        firstSegments(located.path),
        `subschemas are nested more than ${nestingMax} deep`,
        param,
      );
    }
    if (typeof located.schema === 'boolean') return;
    checkKeywords(located.schema, located.path, param);
    for (const inner of subschemasOf(located)) visit(inner, nesting + 1);
  };
  visit({ schema, path: '' }, 0);
}

/** Level by level, not recursive: the very thing it guards against is too much recursion. */
function isNestedDeeper(value: JsonValue, depthMax: number): boolean {
  let level: readonly JsonValue[] = [value];
  for (let depth = 0; depth <= depthMax; depth++) {
    level = level.flatMap((at) => (typeof at === 'object' && at !== null ? Object.values(at) : []));
    if (level.length === 0) return false;
  }
  return true;
}

const firstSegments = (path: string): string => `${path.split('.').slice(0, 8).join('.')}…`;

function checkKeywords(schema: SchemaObject, path: string, param: string | undefined): void {
  for (const keyword of Object.keys(schema)) {
    const value = keywordOf(schema, keyword);
    const problem = value === undefined ? undefined : checks.get(keyword)?.(value);
    if (problem !== undefined) throw createSchemaError(joinPath(path, keyword), problem, param);
  }
}
