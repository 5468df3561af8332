/** Tells before a request runs what can be promised about a schema. */
import type { JsonSchema } from '../chat/types.ts';
import { compileSchema } from './schema/compile-schema.ts';

export interface SchemaAnalysis {
  /** True = whatever the grammar accepts is valid; false = the finished text must be checked. */
  readonly isExact: boolean;
  /** Paths of the keywords that only a check of the finished text can judge. */
  readonly uncompiled: readonly string[];
}

/**
 * @throws ApiError `invalid_schema`, naming the path: a malformed schema, a `$ref` that is remote or points to
 * nothing, a schema that nothing can satisfy, or one that multiplies beyond measure.
 */
export function analyseSchema(schema: JsonSchema, options: { readonly param: string }): SchemaAnalysis {
  const { uncompiled } = compileSchema(schema, options);
  return { isExact: uncompiled.length === 0, uncompiled };
}
