/** How a JSON array goes on after each of its parts. */
import { type ArrayNode, type DistinctItems, type GrammarNode, punctuationStates } from './node.ts';
import {
  type ArrayFrame,
  addThread,
  belowOf,
  depthMax,
  type Enter,
  type Expansion,
  pushFrame,
  type Stack,
} from './stack.ts';
import { createStringState } from './string-state.ts';
import type { TerminalState } from './terminal.ts';
import { createFilteredState } from './trie.ts';

const noneTaken: ReadonlySet<number | string> = new Set();

export function enterArray(node: ArrayNode, below: Stack, out: Expansion): void {
  const frame: ArrayFrame = { kind: 'array', node, phase: 'open', count: 0, taken: noneTaken };
  addThread(out, punctuationStates.openBracket, pushFrame(below, frame));
}

export function resumeArray(
  frame: ArrayFrame,
  stack: Stack,
  completed: TerminalState,
  enter: Enter,
  out: Expansion,
): void {
  const { node } = frame;
  const below = belowOf(stack);
  const now = frame.phase === 'item' && node.distinct !== null ? take(frame, completed) : frame;
  const isLargeEnough = now.count >= node.countMin;
  const canGrow = hasItem(now) && (stack.depth < depthMax || !isLargeEnough);
  if (now.phase !== 'comma' && isLargeEnough) addThread(out, punctuationStates.closeBracket, below);
  if (!canGrow) return;
  if (now.phase === 'item') {
    addThread(out, punctuationStates.comma, pushFrame(below, { ...now, phase: 'comma' }));
    return;
  }
  const inItem = pushFrame(below, { ...now, phase: 'item', count: countOneMore(node, now.count) });
  if (node.distinct !== null) {
    const item = startDistinctItem(node.distinct, now.taken);
    if (item !== null) addThread(out, item, inItem);
    return;
  }
  const item = itemAt(node, now.count);
  if (item !== null) enter(item, inItem, out);
}

/** The schema of the item at a position; null = there is none. */
export const itemAt = (node: ArrayNode, position: number): GrammarNode | null =>
  node.prefix[position] ?? node.item;

/** The start of an item that differs from those taken; null = none is left. */
export function startDistinctItem(
  distinct: DistinctItems,
  taken: ReadonlySet<number | string>,
): TerminalState | null {
  if (distinct.type === 'strings') {
    return createStringState({ ...distinct.machine, isTextKept: true, guard: (text) => !taken.has(text) });
  }
  const { trie } = distinct;
  return createFilteredState(trie, { from: 0, to: trie.entries.length - 1, without: taken });
}

/** What a completed distinct item takes away from those that follow. */
export function takenBy(completed: TerminalState): number | string {
  if (completed.kind === 'string') return completed.text;
  return completed.kind === 'filtered-trie' ? completed.node.entry : -1;
}

function hasItem({ node, count, taken }: ArrayFrame): boolean {
  if (count >= node.countMax) return false;
  if (node.distinct !== null) return startDistinctItem(node.distinct, taken) !== null;
  return itemAt(node, count) !== null;
}

/** Without a maximum, counting stops where every further item is like the last: states recur. */
function countOneMore(node: ArrayNode, count: number): number {
  const matters = node.countMax !== Infinity || count < Math.max(node.countMin, node.prefix.length);
  return matters ? count + 1 : count;
}

function take(frame: ArrayFrame, completed: TerminalState): ArrayFrame {
  return { ...frame, taken: new Set(frame.taken).add(takenBy(completed)) };
}
