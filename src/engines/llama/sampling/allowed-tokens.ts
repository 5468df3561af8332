import type { ConstraintState } from '../../../grammar/constraint.ts';
import { allowedTokens, createTokenTrie, type TokenTrie } from '../../../grammar/token-mask.ts';
import type { VocabularyView } from '../vocabulary-view.ts';

/** All tokens that may follow a state. */
export interface TokenSet {
  /** Ascending. */
  readonly tokens: Uint32Array;
  has(token: number): boolean;
}

interface Index {
  readonly trie: TokenTrie;
  readonly controls: readonly number[];
}

/** Built when a constraint is first in the way; a vocabulary has one for its lifetime. */
const indexByVocabulary = new WeakMap<VocabularyView, Index>();

/** Checks the whole vocabulary, special tokens and ends of generation included. */
export function findAllowedTokens(state: ConstraintState, vocabulary: VocabularyView): TokenSet {
  const { trie, controls } = findIndex(vocabulary);
  const allowedControls = controls.filter((token) =>
    vocabulary.isEndOfGeneration(token)
      ? state.canEnd
      : state.advanceSpecial(vocabulary.controlText(token)) !== null,
  );
  const ordinary = allowedTokens(trie, state).filter((token) => !vocabulary.isEndOfGeneration(token));
  return createTokenSet([...ordinary, ...allowedControls], vocabulary.size);
}

function findIndex(vocabulary: VocabularyView): Index {
  const known = indexByVocabulary.get(vocabulary);
  if (known !== undefined) return known;
  const controls: number[] = [];
  for (let token = 0; token < vocabulary.size; token++) {
    if (vocabulary.isControl(token) || vocabulary.isEndOfGeneration(token)) controls.push(token);
  }
  const index = { trie: createTokenTrie(vocabulary), controls };
  indexByVocabulary.set(vocabulary, index);
  return index;
}

function createTokenSet(members: readonly number[], size: number): TokenSet {
  const tokens = Uint32Array.from(members).sort();
  const bits = new Uint32Array(Math.ceil(size / 32));
  for (const token of tokens) bits[token >>> 5] = (bits[token >>> 5] ?? 0) | (1 << (token & 31));
  return { tokens, has: (token) => (((bits[token >>> 5] ?? 0) >>> (token & 31)) & 1) === 1 };
}
