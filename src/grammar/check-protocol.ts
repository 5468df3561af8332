/** What the two ends of the checking thread say to each other; all of it survives a structured clone. */
import type { ErrorCode } from '../errors.ts';
import type { OutputVerdict } from './check-output.ts';

/** A schema as JSON text: a string crosses to the thread at almost no cost, however large the schema. */
export interface SchemaText {
  readonly text: string;
  /** The request field that holds the schema. */
  readonly param: string;
}

/** Each asks for all it needs, so that it can be repeated in a fresh thread. */
export type CheckJob =
  | { readonly type: 'compile'; readonly schemas: readonly SchemaText[] }
  | { readonly type: 'judge'; readonly schema: SchemaText; readonly output: string };

export type CheckOutcome =
  | { readonly type: 'compiled' }
  | { readonly type: 'judged'; readonly verdict: OutputVerdict }
  /** An ApiError, field by field: a clone of it would be a plain Error. */
  | {
      readonly type: 'refused';
      readonly code: ErrorCode;
      readonly message: string;
      readonly param: string | undefined;
    };
