/** What constraints need of a vocabulary as a whole: built once, which takes a moment, so best while the model loads. */
import type { ConstraintState } from '../../../grammar/constraint.ts';
import { allowedTokens, createTokenTrie, type TokenTrie } from '../../../grammar/token-mask.ts';
import type { VocabularyView } from '../vocabulary-view.ts';

/** All tokens that may follow a state. */
export interface TokenSet {
  /** Ascending. */
  readonly tokens: Uint32Array;
  has(token: number): boolean;
}

interface VocabularyIndex {
  readonly trie: TokenTrie;
  /** Control tokens and ends of generation. */
  readonly controls: readonly number[];
}

const indexByVocabulary = new WeakMap<VocabularyView, VocabularyIndex>();

/** Builds the index now, so that no running generation has to wait for it. */
export function prepareIndex(vocabulary: VocabularyView): void {
  findIndex(vocabulary);
}

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

/**
 * Bytes as ordinary tokens, the longest first. Not how the model's own tokenizer would cut them, but free of its
 * rules about spaces and characters. Undefined when the vocabulary lacks a byte.
 */
export function spellBytes(bytes: Uint8Array, vocabulary: VocabularyView): number[] | undefined {
  const { trie } = findIndex(vocabulary);
  const tokens: number[] = [];
  for (let start = 0; start < bytes.length; ) {
    const longest = findLongest(trie, bytes, start, vocabulary);
    if (longest === undefined) return undefined;
    tokens.push(longest.token);
    start = longest.end;
  }
  return tokens;
}

function findLongest(
  trie: TokenTrie,
  bytes: Uint8Array,
  start: number,
  vocabulary: VocabularyView,
): { token: number; end: number } | undefined {
  let node: TokenTrie['root'] | undefined = trie.root;
  let longest: { token: number; end: number } | undefined;
  for (let end = start; end < bytes.length; ) {
    node = node.children.get(bytes[end] ?? -1);
    if (node === undefined) break;
    end++;
    const token = node.tokens.find((candidate) => !vocabulary.isEndOfGeneration(candidate));
    if (token !== undefined) longest = { token, end };
  }
  return longest;
}

function findIndex(vocabulary: VocabularyView): VocabularyIndex {
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
