import type { CompletionPiece, ConstraintState } from '../../../grammar/constraint.ts';
import type { VocabularyView } from '../vocabulary-view.ts';
import type { ConstraintGate } from './constraint-gate.ts';
import { spellBytes } from './vocabulary-index.ts';

/**
 * With this many tokens to spare, room is looked at again only after `stride` tokens: one token may open a part
 * with a longer completion, but not one that is several times longer.
 */
const ampleTokens = 256;
const stride = 16;
/** More bytes than this a token seldom writes, so a completion that is much too long stays so for some time. */
const tokenBytesUsual = 8;

/**
 * Sees to it that a constrained answer is closed before its budget ends: the moment the token that was chosen
 * would leave too little room for the shortest completion, that completion is written instead.
 */
export interface BudgetGuard {
  /** The token to emit: the chosen one, or the first of the completion. Undefined = end the answer here. */
  review(chosen: number, remainingTokens: number): number | undefined;
  /** The next token of a completion that has begun. */
  nextForced(): number | undefined;
  /** The answer lacks something that there was no room for. */
  readonly isClosing: boolean;
}

export function createBudgetGuard(gate: ConstraintGate, vocabulary: VocabularyView): BudgetGuard {
  let forced: number[] = [];
  let isClosing = false;
  let checkBelow = Number.POSITIVE_INFINITY;

  return {
    get isClosing() {
      return isClosing;
    },
    nextForced: () => forced.shift(),
    review(chosen, remainingTokens) {
      if (remainingTokens > checkBelow) return chosen;
      const next = gate.successor(chosen);
      if (next === null) return chosen;
      const needed = measureCompletion(next);
      checkBelow =
        remainingTokens > ampleTokens + 4 * needed ? remainingTokens - stride : Number.POSITIVE_INFINITY;
      if (needed < remainingTokens) return chosen;
      if (writeCompletion(next, vocabulary, remainingTokens - 1) !== undefined) return chosen;
      if (gate.state.canEnd) {
        // Between two calls what is there is whole and stands; in free text something is missing.
        isClosing = !gate.state.isConstraining;
        return undefined;
      }
      const completion = writeCompletion(gate.state, vocabulary, remainingTokens);
      if (completion === undefined) {
        // The budget was too small from the start; it may come to fit when the model has written more.
        const missingTokens = Math.floor(measureCompletion(gate.state) / tokenBytesUsual) - remainingTokens;
        checkBelow = remainingTokens - Math.max(stride, missingTokens);
        return chosen;
      }
      isClosing = true;
      forced = completion;
      return forced.shift();
    },
  };
}

/** An upper bound of the tokens a completion takes: one per byte. */
function measureCompletion(state: ConstraintState): number {
  let count = 0;
  for (const piece of state.shortestCompletion()) {
    count += piece.type === 'text' ? (piece.leadingBytes?.length ?? 0) + Buffer.byteLength(piece.text) : 1;
  }
  return count;
}

/** The completion as tokens; undefined when it takes more than `tokensMax`, or the vocabulary cannot spell it. */
function writeCompletion(
  state: ConstraintState,
  vocabulary: VocabularyView,
  tokensMax: number,
): number[] | undefined {
  const tokens: number[] = [];
  for (const piece of state.shortestCompletion()) {
    const written = writePiece(piece, vocabulary);
    if (written === undefined) return undefined;
    tokens.push(...written);
    if (tokens.length > tokensMax) return undefined;
  }
  return tokens;
}

function writePiece(piece: CompletionPiece, vocabulary: VocabularyView): number[] | undefined {
  if (piece.type === 'special') {
    const token = vocabulary.tokenByControlText(piece.token);
    return token === undefined ? undefined : [token];
  }
  const leading = spellBytes(piece.leadingBytes ?? new Uint8Array(0), vocabulary);
  const text = spellBytes(Buffer.from(piece.text), vocabulary);
  return leading === undefined || text === undefined ? undefined : [...leading, ...text];
}
