/**
 * A KV cache that only keeps books: which token stands at which position of which sequence. It refuses what
 * llama.cpp would refuse or silently get wrong, so that a test of the scheduler sees every mistake.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { BatchToken, DecodeResult, NativeContext } from '../native-context.ts';

export interface BookContext extends NativeContext {
  /** Tokens of a sequence; empty when it is not in use. */
  tokensOf(sequence: number): readonly number[];
}

/** `choose`: the token that the model finds likeliest after these. */
export function createBookContext(options: {
  readonly cells: number;
  readonly vocabularySize: number;
  readonly choose: (tokens: readonly number[]) => number;
}): BookContext {
  const sequences = new Map<number, number[]>();
  let rows: Float32Array[] = [];
  let isDecoding = false;
  let isAborted = false;
  const tokensOf = (sequence: number): readonly number[] => sequences.get(sequence) ?? [];
  const refuseDuringDecode = (): void => {
    if (isDecoding) throw new Error('the KV cache was touched during a decode');
  };
  const append = ({ token, position, sequence }: BatchToken): void => {
    const tokens = sequences.get(sequence) ?? [];
    if (position !== tokens.length) {
      throw new Error(`sequence ${sequence} has ${tokens.length} tokens, position ${position} cannot follow`);
    }
    sequences.set(sequence, [...tokens, token]);
  };
  const describe = (tokens: readonly number[]): Float32Array => {
    const row = new Float32Array(options.vocabularySize);
    row[options.choose(tokens)] = 1;
    return row;
  };

  return {
    cells: options.cells,
    tokensOf,
    async decode(batch): Promise<DecodeResult> {
      refuseDuringDecode();
      isDecoding = true;
      isAborted = false;
      await new Promise(setImmediate);
      isDecoding = false;
      if (isAborted) return 'aborted';
      rows = [];
      for (const token of batch) {
        append(token);
        if (token.needsLogits) rows.push(describe(tokensOf(token.sequence)));
      }
      return 'done';
    },
    logits: (row) => rows[row] ?? new Float32Array(0),
    copySequence(source, target, length) {
      refuseDuringDecode();
      if (tokensOf(source).length < length) throw new Error(`sequence ${source} is shorter than ${length}`);
      sequences.set(target, tokensOf(source).slice(0, length));
    },
    truncateSequence(sequence, start) {
      refuseDuringDecode();
      sequences.set(sequence, tokensOf(sequence).slice(0, start));
    },
    clear: () => sequences.clear(),
    stateBytes: (sequence) => tokensOf(sequence).length * 4,
    saveSequence(sequence, path, tokens) {
      refuseDuringDecode();
      const state = JSON.stringify(tokensOf(sequence));
      if (state !== JSON.stringify(Array.from(tokens)))
        throw new Error('other tokens than those of the state');
      writeFileSync(path, state);
      return Buffer.byteLength(state);
    },
    loadSequence(sequence, path, length) {
      refuseDuringDecode();
      const state: number[] = JSON.parse(readFileSync(path, 'utf8'));
      sequences.set(sequence, state);
      return state.length === length;
    },
    setAbort(isRaised) {
      isAborted = isRaised;
    },
  };
}
