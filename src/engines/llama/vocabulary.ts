/** A model's vocabulary: token bytes, special tokens, and the splitting of prompts into tokens. */
import { setImmediate } from 'node:timers/promises';
import { callAsync, type LlamaBinding } from './binding.ts';
import type { Pointer } from './native-structs.ts';
import { mergePieces, type PromptRun, splitInsideMarkers } from './prompt-runs.ts';
import type { PromptPiece } from './protocol.ts';
import type { VocabularyView } from './vocabulary-view.ts';

export interface Vocabulary extends VocabularyView {
  readonly bosToken: string;
  readonly eosToken: string;
  readonly hasLeadingBos: boolean;
  /** Texts of all control and marker tokens. */
  readonly specialTokens: readonly string[];
  /**
   * A whole prompt, with BOS where the model wants one. Long texts are split on a worker thread and many short ones
   * in slices of time, so that decoding goes on.
   */
  tokenizePrompt(pieces: readonly PromptPiece[]): Promise<Int32Array>;
}

const attributes = { unknown: 1, control: 1 << 3, userDefined: 1 << 4 } as const;

/** User-defined tokens are ordinary text (runs of spaces, newlines) unless they look like a marker: `<tool_call>`, `[INST]`. */
const markerPattern = /^(<[^\s<>]+>|\[\/?[A-Z_]+\])$/;

/** Above this many UTF-8 bytes, tokenizing could delay the next decode by a noticeable time. */
const asyncBytes = 4096;
/** After so long, whatever else is due comes first: llama.cpp takes a tenth of a millisecond for the shortest text. */
const sliceMs = 5;

export function createVocabulary(binding: LlamaBinding, vocabulary: Pointer): Vocabulary {
  const table = readTokenTable(binding, vocabulary);
  const encoder = new TextEncoder();
  const specialTokens = [...table.idByText.keys()];
  const userDefinedMarkers = specialTokens.filter((text) => table.spelledMarkers.has(text));
  const bos = binding.vocabularyBos(vocabulary);
  const hasLeadingBos = bos >= 0 && binding.vocabularyAddsBos(vocabulary);

  const tokenize = (text: string, parseSpecial: boolean): number[] => {
    const bytes = encoder.encode(text);
    const tokens = new Int32Array(bytes.length + 2);
    const count = binding.tokenize(
      vocabulary,
      bytes,
      bytes.length,
      tokens,
      tokens.length,
      false,
      parseSpecial,
    );
    return Array.from(checkedTokens(tokens, count));
  };
  const tokenizeRun = async (run: PromptRun): Promise<ArrayLike<number>> => {
    if (run.type === 'special') return [run.token];
    const bytes = encoder.encode(run.text);
    if (bytes.length < asyncBytes) return tokenize(run.text, false);
    const tokens = new Int32Array(bytes.length + 2);
    const count = await callAsync(
      binding.tokenize,
      vocabulary,
      bytes,
      bytes.length,
      tokens,
      tokens.length,
      false,
      false,
    );
    return checkedTokens(tokens, count);
  };
  const tokenByControlText = (text: string) => table.idByText.get(text);

  return {
    size: table.size,
    tokenBytes: (token) => table.bytes[token] ?? noBytes,
    isControl: (token) => table.textById.has(token),
    isEndOfGeneration: (token) => table.endOfGeneration.has(token),
    controlText: (token) => table.textById.get(token) ?? '',
    tokenByControlText,
    tokenize,
    bosToken: tokenTextOrEmpty(binding, vocabulary, bos),
    eosToken: tokenTextOrEmpty(binding, vocabulary, binding.vocabularyEos(vocabulary)),
    hasLeadingBos,
    specialTokens,
    async tokenizePrompt(pieces) {
      const runs = mergePieces(
        splitInsideMarkers(pieces, userDefinedMarkers),
        specialTokens,
        tokenByControlText,
      );
      const parts: ArrayLike<number>[] = [];
      let sliceEnd = performance.now() + sliceMs;
      for (const run of runs) {
        parts.push(await tokenizeRun(run));
        if (performance.now() < sliceEnd) continue;
        await setImmediate();
        sliceEnd = performance.now() + sliceMs;
      }
      const needsBos = hasLeadingBos && parts[0]?.[0] !== bos;
      return concatenate(needsBos ? [[bos], ...parts] : parts);
    },
  };
}

const noBytes = new Uint8Array(0);

function checkedTokens(tokens: Int32Array, count: number): Int32Array {
  if (count < 0) throw new Error(`llama_tokenize failed with ${count}`);
  return tokens.subarray(0, count);
}

function concatenate(parts: readonly ArrayLike<number>[]): Int32Array {
  const all = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

function tokenTextOrEmpty(binding: LlamaBinding, vocabulary: Pointer, token: number): string {
  return token < 0 ? '' : (binding.tokenText(vocabulary, token) ?? '');
}

function readTokenTable(binding: LlamaBinding, vocabulary: Pointer) {
  const size = binding.vocabularySize(vocabulary);
  const bytes: Uint8Array[] = new Array(size);
  const textById = new Map<number, string>();
  const idByText = new Map<string, number>();
  const spelledMarkers = new Set<string>();
  const endOfGeneration = new Set<number>();
  const readPiece = createPieceReader(binding, vocabulary);
  for (let token = 0; token < size; token++) {
    const attribute = binding.tokenAttributes(vocabulary, token);
    const isControl = (attribute & (attributes.control | attributes.unknown)) !== 0;
    bytes[token] = isControl ? noBytes : readPiece(token, false);
    if (binding.tokenEndsGeneration(vocabulary, token)) endOfGeneration.add(token);
    if (isControl || (attribute & attributes.userDefined) !== 0) {
      const text = tokenTextOrEmpty(binding, vocabulary, token);
      const isMarker = isControl || markerPattern.test(text);
      if (isMarker && text !== '') {
        textById.set(token, text);
        idByText.set(text, token);
        if (!isControl) spelledMarkers.add(text);
      }
    }
  }
  return { size, bytes, textById, idByText, spelledMarkers, endOfGeneration };
}

function createPieceReader(binding: LlamaBinding, vocabulary: Pointer) {
  let buffer = new Uint8Array(256);
  return (token: number, special: boolean): Uint8Array => {
    const length = binding.tokenToPiece(vocabulary, token, buffer, buffer.length, 0, special);
    if (length >= 0) return buffer.slice(0, length);
    buffer = new Uint8Array(-length);
    return buffer.slice(0, binding.tokenToPiece(vocabulary, token, buffer, buffer.length, 0, special));
  };
}
