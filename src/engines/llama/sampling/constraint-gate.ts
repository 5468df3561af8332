import type { ConstraintState } from '../../../grammar/constraint.ts';
import type { VocabularyView } from '../vocabulary-view.ts';
import type { TokenFilter } from './token-choice.ts';
import { findAllowedTokens, type TokenSet } from './vocabulary-index.ts';

/** Token sets kept per answer. A set takes a bit per token and four bytes per member. */
const cachedSetsMax = 64;

/** With more first bytes than this, a place allows much of the vocabulary. */
const broadBytes = 64;

/** The constraint of one answer: where it stands, and which tokens may come next. */
export interface ConstraintGate extends TokenFilter {
  readonly state: ConstraintState;
  /** The state after a token; null when it cannot follow. */
  successor(token: number): ConstraintState | null;
  /** Moves on. Throws when the token cannot follow. */
  accept(token: number): void;
}

export function createConstraintGate(start: ConstraintState, vocabulary: VocabularyView): ConstraintGate {
  let state = start;
  let checked: { token: number; next: ConstraintState | null } | undefined;
  let currentSet: TokenSet | undefined;
  let isBroad: boolean | undefined;
  const setsByKey = new Map<string, TokenSet>();

  const advance = (token: number): ConstraintState | null => {
    if (vocabulary.isEndOfGeneration(token)) return state.canEnd ? state : null;
    if (vocabulary.isControl(token)) return state.advanceSpecial(vocabulary.controlText(token));
    const bytes = vocabulary.tokenBytes(token);
    // A token without bytes would let a constrained answer run on without getting anywhere.
    return bytes.length === 0 ? null : state.advance(bytes);
  };
  const successor = (token: number): ConstraintState | null => {
    if (checked?.token !== token) checked = { token, next: advance(token) };
    return checked.next;
  };
  const knownSet = (): TokenSet | undefined => {
    if (currentSet === undefined && state.key !== undefined) currentSet = setsByKey.get(state.key);
    return currentSet;
  };
  const findSet = (): TokenSet => {
    const found = findAllowedTokens(state, vocabulary);
    if (state.key !== undefined) {
      if (setsByKey.size >= cachedSetsMax) setsByKey.clear();
      setsByKey.set(state.key, found);
    }
    currentSet = found;
    return found;
  };

  return {
    get state() {
      return state;
    },
    successor,
    allows: (token) => successor(token) !== null,
    isBroad() {
      isBroad ??= countAllowedBytes(state) > broadBytes;
      return isBroad;
    },
    knownSet,
    findSet: () => knownSet() ?? findSet(),
    accept(token) {
      const next = successor(token);
      if (next === null) throw new Error(`Token ${token} cannot follow here under the constraint.`);
      if (next !== state) {
        currentSet = undefined;
        isBroad = undefined;
      }
      checked = undefined;
      state = next;
    },
  };
}

function countAllowedBytes(state: ConstraintState): number {
  let count = 0;
  for (let byte = 0; byte < 256; byte++) if (state.advance(Uint8Array.of(byte)) !== null) count++;
  return count;
}
