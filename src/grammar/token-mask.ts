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
  /** Every byte below this node is an ASCII character that means nothing special within a JSON string. */
  isPlain: boolean;
}

export interface TokenTrie {
  readonly root: TokenNode;
  /** Tokens in the vocabulary. */
  readonly size: number;
}

/** Control tokens and tokens without bytes are left out: they are never ordinary text. */
export function createTokenTrie(vocabulary: Vocabulary): TokenTrie {
  const root = createNode();
  for (let token = 0; token < vocabulary.size; token++) {
    if (vocabulary.isControl(token)) continue;
    const bytes = vocabulary.tokenBytes(token);
    if (bytes.length === 0) continue;
    let node = root;
    for (const byte of bytes) {
      let child = node.children.get(byte);
      if (child === undefined) {
        child = createNode();
        node.children.set(byte, child);
      }
      node = child;
    }
    node.tokens.push(token);
  }
  markPlain(root);
  return { root, size: vocabulary.size };
}

const createNode = (): TokenNode => ({ children: new Map(), tokens: [], isPlain: false });

function markPlain(node: TokenNode): void {
  node.isPlain = true;
  for (const [byte, child] of node.children) {
    markPlain(child);
    if (!child.isPlain || !isPlainByte(byte)) node.isPlain = false;
  }
}

const isPlainByte = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;

const singleBytes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));

/** Ids of all ordinary tokens that `advance` accepts, ascending. */
export function allowedTokens(trie: TokenTrie, state: ConstraintState): Uint32Array {
  const isFound = new Uint8Array(trie.size);
  const add = (node: TokenNode): void => {
    for (const token of node.tokens) isFound[token] = 1;
  };
  const addAll = (node: TokenNode): void => {
    add(node);
    for (const child of node.children.values()) addAll(child);
  };
  const visit = (node: TokenNode, at: ConstraintState): void => {
    for (const [byte, child] of node.children) {
      const next = at.advance(singleBytes[byte] ?? new Uint8Array());
      if (next === null) continue;
      // A character that changes nothing stands within free text of a string: plain characters may all follow.
      if (next === at && at.isConstraining && child.isPlain && isPlainByte(byte)) {
        addAll(child);
        continue;
      }
      add(child);
      visit(child, next);
    }
  };
  visit(trie.root, state);
  const found: number[] = [];
  isFound.forEach((flag, token) => {
    if (flag === 1) found.push(token);
  });
  return Uint32Array.from(found);
}
