/**
 * A grammar as plain data: composed by whoever knows an output format (the tool-call formats of `engines/llama`),
 * sent to the engine's child process, compiled there. JSON Schema is one kind of node.
 */
import type { JsonSchema } from '../chat/types.ts';

export type GrammarSpec =
  /** Exactly this text, however it is split into tokens. */
  | { readonly type: 'literal'; readonly text: string }
  /** One special (control) token, named by its text in the vocabulary, e.g. `<|tool_call_begin|>`. */
  | { readonly type: 'special'; readonly token: string }
  /** A JSON text that is valid against the schema. */
  | { readonly type: 'json-schema'; readonly schema: JsonSchema }
  /** Decimal digits without leading zeros, 0 to 99999 (call counters). */
  | { readonly type: 'counter' }
  | { readonly type: 'sequence'; readonly items: readonly GrammarSpec[] }
  | { readonly type: 'choice'; readonly items: readonly GrammarSpec[] }
  | {
      readonly type: 'repeat';
      readonly item: GrammarSpec;
      readonly countMin: number;
      readonly countMax: number;
    }
  /**
   * Free text (no constraint, may end at any point) until the trigger appears, then `then`. The trigger is a
   * `special` or a `literal`; it belongs to the constrained part. `reserved` are special tokens that the free text
   * may not contain, because they mean something within the constrained part only.
   */
  | {
      readonly type: 'triggered';
      readonly trigger: Extract<GrammarSpec, { type: 'literal' | 'special' }>;
      readonly then: GrammarSpec;
      readonly reserved: readonly string[];
    };
