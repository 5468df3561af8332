/**
 * Judges answers by their schemas as `check-output.ts` does, in a thread of its own: compiling a large schema takes
 * seconds, in which the event loop would serve nobody.
 */
import type { JsonSchema } from '../chat/types.ts';
import { ApiError } from '../errors.ts';
import type { OutputVerdict } from './check-output.ts';
import type { SchemaText } from './check-protocol.ts';
import { type CheckContext, CheckThread, type JobOutcome, jobSecondsMax } from './check-thread.ts';
import { createSchemaError } from './schema/located-schema.ts';

export interface DeclaredSchema {
  readonly schema: JsonSchema;
  /** The request field that holds it; becomes the `param` of errors. */
  readonly param: string;
}

/** Rejects with ApiError `unexpected_output` when judging `output` takes too long. */
export type OutputCheck = (output: string) => Promise<OutputVerdict>;

/** All methods reject with ApiError `client_closed_request` as soon as the signal fires. */
export interface OutputChecker {
  /**
   * The schemas of one request, and their checks in the same order. Rejects with ApiError `invalid_schema` for a
   * schema that is malformed, cannot be resolved, or takes too long to compile.
   */
  compile(schemas: readonly DeclaredSchema[], context: CheckContext): Promise<readonly OutputCheck[]>;
  /** Unfinished work is rejected with ApiError `engine_failed`. */
  close(): Promise<void>;
}

/** Costs nothing until the first schema; when idle it does not keep the process alive. */
export function createOutputChecker(): OutputChecker {
  const thread = new CheckThread();

  async function judge(schema: SchemaText, output: string, context: CheckContext): Promise<OutputVerdict> {
    const outcome = readOutcome(await thread.run({ type: 'judge', schema, output }, context));
    if (outcome.type === 'judged') return outcome.verdict;
    throw new ApiError('unexpected_output', {
      message: `The answer could not be checked against the declared schema within ${jobSecondsMax} seconds; nothing was charged. Use a simpler schema.`,
    });
  }

  return {
    async compile(schemas, context) {
      if (schemas.length === 0) return [];
      const texts = schemas.map(writeSchema);
      const outcome = readOutcome(await thread.run({ type: 'compile', schemas: texts }, context));
      if (outcome.type === 'exhausted') throw tooComplex(schemas);
      return texts.map((schema) => (output) => judge(schema, output, context));
    },
    close: () => thread.close(),
  };
}

function readOutcome(outcome: JobOutcome): Exclude<JobOutcome, { type: 'refused' }> {
  if (outcome.type !== 'refused') return outcome;
  const { code, message, param } = outcome;
  throw new ApiError(code, param === undefined ? { message } : { message, param });
}

function writeSchema({ schema, param }: DeclaredSchema): SchemaText {
  try {
    return { text: JSON.stringify(schema), param };
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    throw createSchemaError('', 'arrays and objects are nested too deep', param);
  }
}

function tooComplex(schemas: readonly DeclaredSchema[]): ApiError {
  const [first] = schemas;
  const [subject, param] =
    first === undefined || schemas.length > 1
      ? ["the request's JSON Schemas together are", undefined]
      : ['the JSON Schema is', first.param];
  const message = `Invalid request: ${subject} too complex to check: compiling takes more than ${jobSecondsMax} seconds or too much memory. Use fewer properties and references.`;
  return new ApiError('invalid_schema', param === undefined ? { message } : { message, param });
}
