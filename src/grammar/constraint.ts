/**
 * What a compiled grammar looks like to whoever decodes tokens. The recogniser reads tokens one by one, says
 * which may follow, and knows the shortest way out of any unfinished sentence.
 */

/** A piece of text, or one special token by its text in the vocabulary. */
export type CompletionPiece =
  | {
      readonly type: 'text';
      readonly text: string;
      /** Only on a first piece: UTF-8 bytes before `text` that finish the character in progress. */
      readonly leadingBytes?: Uint8Array;
    }
  | { readonly type: 'special'; readonly token: string };

/** A position within a sentence. Immutable, so it may be kept, shared and advanced again from the same place. */
export interface ConstraintState {
  /**
   * Feeds the bytes of one ordinary token, which may begin and end inside a UTF-8 character.
   * Null = this token cannot follow. No state is a dead end: some token, or the end, is always possible.
   */
  advance(bytes: Uint8Array): ConstraintState | null;
  /** Feeds one special token by its text. Null = it cannot follow. */
  advanceSpecial(token: string): ConstraintState | null;
  /** The text so far is a complete sentence: the end of generation may come here. */
  readonly canEnd: boolean;
  /** Complete, and nothing can follow. */
  readonly mustEnd: boolean;
  /**
   * False in the free part of a `triggered` grammar: (almost) every token is allowed and the end too. `advance`
   * must still be called, so that the trigger is seen; it refuses only reserved special tokens, and a token that
   * completes the trigger and goes on with something that the constrained part does not allow.
   */
  readonly isConstraining: boolean;
  /** A short text (with special tokens) that completes the sentence from here; empty when `canEnd`. */
  shortestCompletion(): readonly CompletionPiece[];
  /** Equal keys of states of one grammar = equal futures; for caching token masks. Undefined when no cheap key exists. */
  readonly key: string | undefined;
}

/** A grammar ready for use; safe to share between requests. */
export interface CompiledGrammar {
  /** The state before the first token. */
  start(): ConstraintState;
}
