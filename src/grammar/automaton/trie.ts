/**
 * A set of fixed texts as a tree of code points. Its nodes are recogniser states themselves, so that following a
 * literal allocates nothing.
 */

/** Where one optional space may stand in a text: after the character with this index (UTF-16). */
export interface TrieEntry {
  readonly text: string;
  readonly spacesAfter: readonly number[];
}

export interface TrieNode {
  readonly kind: 'trie';
  /** Code point → next node. */
  readonly children: Map<number, TrieNode>;
  /** Same children, after an optional space. */
  spaced: TrieNode | null;
  /** Index of the entry that ends here, or −1. */
  entry: number;
  /** Entries at or beneath this node, ascending. */
  readonly entries: number[];
  isAccepting: boolean;
  canContinue: boolean;
  /** What the nearest entry still lacks: the next code point, and how many there are. */
  nearestCode: number;
  nearestDistance: number;
}

export interface Trie {
  readonly root: TrieNode;
  readonly entries: readonly TrieEntry[];
}

export function createTrie(entries: readonly TrieEntry[]): Trie {
  const root = createNode();
  entries.forEach((entry, index) => {
    insert(root, entry, index);
  });
  return { root, entries };
}

/** A trie of one text without optional spaces. */
export const createLiteral = (text: string): Trie => createTrie([{ text, spacesAfter: [] }]);

const createNode = (): TrieNode => ({
  kind: 'trie',
  children: new Map(),
  spaced: null,
  entry: -1,
  entries: [],
  isAccepting: false,
  canContinue: false,
  nearestCode: -1,
  nearestDistance: Infinity,
});

function insert(root: TrieNode, entry: TrieEntry, index: number): void {
  const { text } = entry;
  const spaces = new Set(entry.spacesAfter);
  let node = root;
  let left = [...text].length;
  let position = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    pass(node, index, code, left);
    let child = node.children.get(code);
    if (child === undefined) {
      child = createNode();
      node.children.set(code, child);
    }
    position += character.length;
    left--;
    if (spaces.has(position - 1)) allowSpace(child);
    node = child;
  }
  pass(node, index, -1, 0);
}

/** Notes on a node (and its twin after a space) that an entry goes through it, or ends in it. */
function pass(node: TrieNode, index: number, code: number, left: number): void {
  for (const twin of node.spaced === null ? [node] : [node, node.spaced]) {
    if (twin.entries.at(-1) !== index) twin.entries.push(index);
    if (left < twin.nearestDistance) {
      twin.nearestDistance = left;
      twin.nearestCode = code;
    }
    if (left > 0) twin.canContinue = true;
    else {
      twin.isAccepting = true;
      // Equal texts keep their first index; they cannot be told apart anyway.
      if (twin.entry < 0) twin.entry = index;
    }
  }
}

function allowSpace(node: TrieNode): void {
  if (node.spaced !== null) return;
  node.spaced = { ...node, entries: [...node.entries] };
  node.canContinue = true;
}

export function stepTrie(node: TrieNode, code: number): TrieNode | null {
  return node.children.get(code) ?? (code === 0x20 ? node.spaced : null);
}

/** The rest of the nearest entry. */
export function completeTrie(node: TrieNode): string {
  let text = '';
  for (let at: TrieNode | undefined = node; at !== undefined && at.nearestDistance > 0; ) {
    text += String.fromCodePoint(at.nearestCode);
    at = at.children.get(at.nearestCode);
  }
  return text;
}

/** A walk through a trie of which only some entries are open at the moment. */
export interface FilteredTrieState {
  readonly kind: 'filtered-trie';
  readonly trie: Trie;
  readonly node: TrieNode;
  /** UTF-16 units of the entry's text that are written. */
  readonly written: number;
  readonly filter: EntryFilter;
  readonly isAccepting: boolean;
  readonly canContinue: boolean;
}

/** Which entries are open: those from `from` to `to`, without `without`. */
export interface EntryFilter {
  readonly from: number;
  readonly to: number;
  readonly without: ReadonlySet<number | string>;
}

/** Null = no open entry begins like this. */
export function createFilteredState(
  trie: Trie,
  filter: EntryFilter,
  node = trie.root,
  written = 0,
): FilteredTrieState | null {
  const first = firstOpenEntry(node, filter);
  if (first < 0) return null;
  const isAccepting = node.entry >= 0 && isOpen(filter, node.entry);
  const canContinue =
    node.spaced !== null ||
    !isAccepting ||
    first !== node.entry ||
    firstOpenEntry(node, filter, first + 1) >= 0;
  return { kind: 'filtered-trie', trie, node, written, filter, isAccepting, canContinue };
}

const isOpen = (filter: EntryFilter, entry: number): boolean =>
  entry >= filter.from && entry <= filter.to && !filter.without.has(entry);

function firstOpenEntry(node: TrieNode, filter: EntryFilter, from = filter.from): number {
  const { entries } = node;
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  for (let i = low; i < entries.length; i++) {
    const entry = entries[i] ?? Infinity;
    if (entry > filter.to) return -1;
    if (!filter.without.has(entry)) return entry;
  }
  return -1;
}

export function stepFilteredTrie(state: FilteredTrieState, code: number): FilteredTrieState | null {
  const child = state.node.children.get(code);
  const { trie, filter } = state;
  if (child !== undefined)
    return createFilteredState(trie, filter, child, state.written + (code > 0xffff ? 2 : 1));
  if (code !== 0x20 || state.node.spaced === null) return null;
  return createFilteredState(trie, filter, state.node.spaced, state.written);
}

/** The rest of the shortest open entry. */
export function completeFilteredTrie(state: FilteredTrieState): string {
  let best: string | undefined;
  for (const entry of state.node.entries) {
    const text = state.trie.entries[entry]?.text;
    if (text === undefined || !isOpen(state.filter, entry)) continue;
    if (best === undefined || text.length < best.length) best = text;
  }
  return best?.slice(state.written) ?? '';
}
