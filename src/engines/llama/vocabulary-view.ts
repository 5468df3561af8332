/** What sampling and output decoding may know about a model's vocabulary; the implementation reads it from libllama. */
export interface VocabularyView {
  /** Number of tokens; token ids are 0 … size − 1. */
  readonly size: number;
  /** The bytes a token stands for; empty for control tokens. They need not be whole UTF-8 characters. */
  tokenBytes(token: number): Uint8Array;
  /** Control and user-defined special tokens, which never count as ordinary text. */
  isControl(token: number): boolean;
  /** Ends an answer: end of text, end of turn, end of message. */
  isEndOfGeneration(token: number): boolean;
  /** The text that names a control token, e.g. `<|im_end|>`. */
  controlText(token: number): string;
  tokenByControlText(text: string): number | undefined;
  /** Without BOS. With `parseSpecial` the texts of control tokens become those tokens; without it they are spelled out. */
  tokenize(text: string, parseSpecial: boolean): number[];
}
