/** A constraint over text: threads of the automaton behind an incremental UTF-8 decoder. */
import { completeThreads } from './automaton/complete-sentence.ts';
import type { GrammarNode } from './automaton/node.ts';
import type { Thread } from './automaton/stack.ts';
import {
  canContinue,
  canEnd,
  filterByRange,
  startThreads,
  stepThreads,
  stepThreadsSpecial,
} from './automaton/thread.ts';
import type { CompletionPiece, ConstraintState } from './constraint.ts';

/** The unfinished character at the end of the bytes so far. */
interface PartialCharacter {
  /** Bits collected. */
  readonly bits: number;
  /** Bytes that are still missing, 1 to 3; 0 = no character is unfinished. */
  readonly missing: number;
  /** Bounds of the next byte: they exclude overlong forms, surrogates and values beyond Unicode. */
  readonly byteMin: number;
  readonly byteMax: number;
}

const noCharacter: PartialCharacter = { bits: 0, missing: 0, byteMin: 0, byteMax: 0 };

export function createGrammarState(root: GrammarNode): ConstraintState {
  return createState(startThreads(root), noCharacter);
}

function createState(threads: readonly Thread[], partial: PartialCharacter): ConstraintState {
  const isWhole = partial.missing === 0;
  let isEnd: boolean | undefined;
  const state: ConstraintState = {
    advance: (bytes) => advance(state, threads, partial, bytes),
    advanceSpecial: (token) => {
      const next = isWhole ? stepThreadsSpecial(threads, token) : [];
      return next.length === 0 ? null : createState(next, noCharacter);
    },
    get canEnd() {
      isEnd ??= isWhole && canEnd(threads);
      return isEnd;
    },
    get mustEnd() {
      return state.canEnd && !canContinue(threads);
    },
    isConstraining: true,
    shortestCompletion: () => {
      if (state.canEnd) return [];
      return isWhole ? completeThreads(threads) : completeCharacter(threads, partial);
    },
    key: undefined,
  };
  return state;
}

function advance(
  from: ConstraintState,
  threadsBefore: readonly Thread[],
  partialBefore: PartialCharacter,
  bytes: Uint8Array,
): ConstraintState | null {
  let threads = threadsBefore;
  let partial = partialBefore;
  for (const byte of bytes) {
    if (partial.missing === 0 && byte < 0x80) {
      threads = stepThreads(threads, byte);
    } else {
      const next = partial.missing === 0 ? startCharacter(byte) : continueCharacter(partial, byte);
      if (next === null) return null;
      partial = next;
      if (partial.missing > 0) continue;
      threads = stepThreads(threads, partial.bits);
      partial = noCharacter;
    }
    if (threads.length === 0) return null;
  }
  if (partial.missing > 0) {
    const { low, high } = rangeOf(partial);
    threads = filterByRange(threads, low, high);
    if (threads.length === 0) return null;
  }
  return threads === threadsBefore && partial === partialBefore ? from : createState(threads, partial);
}

/** Null = no character begins with this byte (RFC 3629). */
function startCharacter(byte: number): PartialCharacter | null {
  if (byte < 0xc2 || byte > 0xf4) return null;
  if (byte < 0xe0) return { bits: byte & 0x1f, missing: 1, byteMin: 0x80, byteMax: 0xbf };
  if (byte < 0xf0) {
    const byteMin = byte === 0xe0 ? 0xa0 : 0x80;
    return { bits: byte & 0x0f, missing: 2, byteMin, byteMax: byte === 0xed ? 0x9f : 0xbf };
  }
  const byteMin = byte === 0xf0 ? 0x90 : 0x80;
  return { bits: byte & 0x07, missing: 3, byteMin, byteMax: byte === 0xf4 ? 0x8f : 0xbf };
}

function continueCharacter(partial: PartialCharacter, byte: number): PartialCharacter | null {
  if (byte < partial.byteMin || byte > partial.byteMax) return null;
  const bits = (partial.bits << 6) | (byte & 0x3f);
  return { bits, missing: partial.missing - 1, byteMin: 0x80, byteMax: 0xbf };
}

/** The code points that the unfinished character can become. */
function rangeOf(partial: PartialCharacter): { low: number; high: number } {
  const below = 6 * (partial.missing - 1);
  const low = ((partial.bits << 6) | (partial.byteMin & 0x3f)) << below;
  const high = (((partial.bits << 6) | (partial.byteMax & 0x3f)) << below) | ((1 << below) - 1);
  return { low, high };
}

/** Finishes the character in progress as the first one that fits, then the sentence. */
function completeCharacter(
  threads: readonly Thread[],
  partial: PartialCharacter,
): readonly CompletionPiece[] {
  const { low, high } = rangeOf(partial);
  for (let code = low; code <= high; code++) {
    const next = stepThreads(threads, code);
    if (next.length === 0) continue;
    const leadingBytes = new TextEncoder().encode(String.fromCodePoint(code)).slice(-partial.missing);
    const [first, ...rest] = canEnd(next) ? [] : completeThreads(next);
    if (first?.type === 'text') return [{ ...first, leadingBytes }, ...rest];
    return [{ type: 'text', text: '', leadingBytes }, ...(first === undefined ? [] : [first]), ...rest];
  }
  return [];
}
