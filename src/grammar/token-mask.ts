/** Finds every token that a constraint allows, by walking a trie of the vocabulary: each shared prefix is judged once. */
import type { ConstraintState } from './constraint.ts';

export interface Vocabulary {
  readonly size: number;
  /** The bytes of an ordinary token. */
  tokenBytes(token: number): Uint8Array;
  isControl(token: number): boolean;
}

interface TokenNode {
  readonly children: Map<number, TokenNode>;
  /** Tokens that end here. */
  readonly tokens: number[];
}

export interface TokenTrie {
  readonly root: TokenNode;
}

/** Control tokens and tokens without bytes are left out: they are never ordinary text. */
export function createTokenTrie(vocabulary: Vocabulary): TokenTrie {
  const root: TokenNode = { children: new Map(), tokens: [] };
  for (let token = 0; token < vocabulary.size; token++) {
    if (vocabulary.isControl(token)) continue;
    const bytes = vocabulary.tokenBytes(token);
    if (bytes.length === 0) continue;
    let node = root;
    for (const byte of bytes) {
      let child = node.children.get(byte);
      if (child === undefined) {
        child = { children: new Map(), tokens: [] };
        node.children.set(byte, child);
      }
      node = child;
    }
    node.tokens.push(token);
  }
  return { root };
}

const singleBytes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));

/** Ids of all ordinary tokens that `advance` accepts, ascending. */
export function allowedTokens(trie: TokenTrie, state: ConstraintState): Uint32Array {
  const found: number[] = [];
  const visit = (node: TokenNode, at: ConstraintState): void => {
    for (const [byte, child] of node.children) {
      const next = at.advance(singleBytes[byte] ?? new Uint8Array());
      if (next === null) continue;
      found.push(...child.tokens);
      visit(child, next);
    }
  };
  visit(trie.root, state);
  return Uint32Array.from(found).sort();
}
