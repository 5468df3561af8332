import type { JsonSchema, JsonValue } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';

/** Deeper values would overflow the stack of whoever walks them recursively; no schema needs this much. */
const depthMax = 128;

/**
 * Takes parsed JSON as a JSON Schema. Only what every later reader relies on is checked: an object (or a boolean
 * where `isBooleanAllowed`), bounded depth, no `__proto__` key. What the keywords mean is the engine's business.
 * Throws ApiError `invalid_schema` that names the path.
 */
export function checkJsonSchema(value: unknown, param: string, isBooleanAllowed: boolean): JsonSchema {
  if (typeof value === 'boolean' && isBooleanAllowed) return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidSchema(param, 'the JSON Schema must be an object');
  }
  let level: { value: object; path: string }[] = [{ value, path: param }];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > depthMax)
      throw invalidSchema(param, `the JSON Schema is nested deeper than ${depthMax} levels`);
    level = level.flatMap(listChildren);
  }
  return value as { readonly [keyword: string]: JsonValue }; // It came out of JSON.parse, so its leaves are JSON.
}

function listChildren(node: { value: object; path: string }): { value: object; path: string }[] {
  const children: { value: object; path: string }[] = [];
  for (const [key, value] of Object.entries(node.value)) {
    if (key === '__proto__') throw invalidSchema(node.path, 'the name `__proto__` is not allowed');
    if (typeof value === 'object' && value !== null) children.push({ value, path: `${node.path}.${key}` });
  }
  return children;
}

/** An ApiError `invalid_schema` in Moonshot's form. */
export function invalidSchema(param: string, text: string): ApiError {
  return new ApiError('invalid_schema', { message: `Invalid request: ${param}: ${text}`, param });
}
