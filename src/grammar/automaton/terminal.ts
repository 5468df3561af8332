/** The states of everything that reads characters: one union, one dispatch per question. */
import { type BoundedNumberState, completeBoundedNumber, stepBoundedNumber } from './bounded-number-state.ts';
import { completeDecimal, type DecimalState, stepDecimal } from './decimal-state.ts';
import { acceptsStringRange, completeString, type StringState, stepString } from './string-state.ts';
import {
  completeFilteredTrie,
  completeTrie,
  type FilteredTrieState,
  stepFilteredTrie,
  stepTrie,
  type TrieNode,
} from './trie.ts';

/** Waits for one special token; characters cannot satisfy it. */
export interface SpecialState {
  readonly kind: 'special';
  readonly token: string;
  readonly isAccepting: boolean;
  readonly canContinue: boolean;
}

export type TerminalState =
  | TrieNode
  | FilteredTrieState
  | StringState
  | DecimalState
  | BoundedNumberState
  | SpecialState;

/** The state after one more code point; null = refused. A state that is returned can always be completed. */
export function stepTerminal(state: TerminalState, code: number): TerminalState | null {
  switch (state.kind) {
    case 'trie':
      return stepTrie(state, code);
    case 'filtered-trie':
      return stepFilteredTrie(state, code);
    case 'string':
      return stepString(state, code);
    case 'decimal':
      return stepDecimal(state, code);
    case 'bounded-number':
      return stepBoundedNumber(state, code);
    case 'special':
      return null;
    default:
      return state satisfies never;
  }
}

/** Whether some code point from `low` to `high` can follow; both are beyond ASCII. */
export function acceptsRange(state: TerminalState, low: number, high: number): boolean {
  switch (state.kind) {
    case 'trie':
      return hasChildWithin(state, low, high);
    case 'filtered-trie':
      for (const code of state.node.children.keys()) {
        if (code >= low && code <= high && stepFilteredTrie(state, code) !== null) return true;
      }
      return false;
    case 'string':
      return acceptsStringRange(state, low, high);
    default:
      return false;
  }
}

function hasChildWithin(node: TrieNode, low: number, high: number): boolean {
  for (const code of node.children.keys()) if (code >= low && code <= high) return true;
  return false;
}

/** A short text that completes the terminal; empty when it is complete, and for a special token. */
export function completeTerminal(state: TerminalState): string {
  switch (state.kind) {
    case 'trie':
      return completeTrie(state);
    case 'filtered-trie':
      return state.isAccepting ? '' : completeFilteredTrie(state);
    case 'string':
      return completeString(state);
    case 'decimal':
      return completeDecimal(state);
    case 'bounded-number':
      return completeBoundedNumber(state);
    case 'special':
      return '';
    default:
      return state satisfies never;
  }
}

const specialDone: SpecialState = { kind: 'special', token: '', isAccepting: true, canContinue: false };

/** The state after a special token; null = refused. */
export const stepSpecial = (state: TerminalState, token: string): SpecialState | null =>
  state.kind === 'special' && !state.isAccepting && state.token === token ? specialDone : null;

export const createSpecialState = (token: string): SpecialState => ({
  kind: 'special',
  token,
  isAccepting: false,
  canContinue: true,
});
