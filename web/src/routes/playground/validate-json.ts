/** JSON against a schema, without generated code: the page's policy forbids `eval`. Loaded with the first JSON answer. */
import { type Schema, Validator } from '@cfworker/json-schema';

export interface Verdict {
  readonly isValid: boolean;
  readonly hasSchema: boolean;
  /** The first thing that is wrong: where, and what. */
  readonly fault: string | undefined;
}

/** Judges an answer. `schema` undefined = any JSON object. */
export function judgeJson(text: string, schema: Readonly<Record<string, unknown>> | undefined): Verdict {
  const hasSchema = schema !== undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { isValid: false, hasSchema, fault: error instanceof Error ? error.message : String(error) };
  }
  if (schema === undefined) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return { isValid: isObject, hasSchema, fault: undefined };
  }
  const { valid, errors } = new Validator(schema as Schema, '2020-12').validate(value); // The server compiled it before.
  const first = errors.at(-1);
  return {
    isValid: valid,
    hasSchema,
    fault: first === undefined ? undefined : `${first.instanceLocation}: ${first.error}`,
  };
}

/** What is wrong with a schema text before it is sent; undefined = it can be tried. `expectation` names an object. */
export function findSchemaFault(text: string, expectation: string): string | undefined {
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    return expectation;
  }
  try {
    new Validator(schema as Schema, '2020-12').validate({});
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
