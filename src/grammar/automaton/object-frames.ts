/** How a JSON object goes on after each of its parts. */
import { type ExtraMembers, keysOf, type ObjectNode, punctuationStates } from './node.ts';
import {
  addThread,
  belowOf,
  depthMax,
  type Enter,
  type Expansion,
  type ObjectFrame,
  pushFrame,
  type Stack,
} from './stack.ts';
import { createStringState, type StringMachine, type StringState } from './string-state.ts';
import type { TerminalState } from './terminal.ts';
import { createFilteredState } from './trie.ts';

const noNames: ReadonlySet<string> = new Set();
const noEntries: ReadonlySet<number> = new Set();

export const openFrame = (node: ObjectNode): ObjectFrame => ({
  kind: 'object',
  node,
  phase: 'open',
  next: 0,
  count: 0,
  names: noNames,
  extra: 0,
});

export function enterObject(node: ObjectNode, below: Stack, out: Expansion): void {
  addThread(out, punctuationStates.openBrace, pushFrame(below, openFrame(node)));
}

export function resumeObject(
  frame: ObjectFrame,
  stack: Stack,
  completed: TerminalState,
  enter: Enter,
  out: Expansion,
): void {
  const below = belowOf(stack);
  const { node } = frame;
  switch (frame.phase) {
    case 'open':
      if (canClose(frame)) addThread(out, punctuationStates.closeBrace, below);
      offerKeys(frame, stack, below, out);
      return;
    case 'comma':
      offerKeys(frame, stack, below, out);
      return;
    case 'value':
      if (canClose(frame)) addThread(out, punctuationStates.closeBrace, below);
      if (canGrow(frame, stack)) {
        addThread(out, punctuationStates.comma, pushFrame(below, { ...frame, phase: 'comma' }));
      }
      return;
    case 'declared-key': {
      const after = afterDeclaredKey(frame, completed);
      const member = node.members[after.next - 1];
      if (member !== undefined) enter(member.value, pushFrame(below, after), out);
      return;
    }
    case 'extra-key': {
      const after = afterExtraKey(frame, completed);
      addThread(out, punctuationStates.colon, pushFrame(below, { ...after, phase: 'extra-colon' }));
      return;
    }
    case 'extra-colon': {
      const extra = node.extras[frame.extra];
      if (extra !== undefined) enter(extra.value, pushFrame(below, { ...frame, phase: 'value' }), out);
      return;
    }
    default:
      frame.phase satisfies never;
  }
}

/** The frame within the value of the member whose key was read. */
export function afterDeclaredKey(frame: ObjectFrame, completed: TerminalState): ObjectFrame {
  const member = completed.kind === 'filtered-trie' ? completed.node.entry : frame.next;
  return { ...frame, phase: 'value', next: member + 1, count: countOneMore(frame) };
}

/** The frame after the key of an extra member. */
export function afterExtraKey(frame: ObjectFrame, completed: TerminalState): ObjectFrame {
  const name = completed.kind === 'string' ? completed.text : '';
  const { members } = frame.node;
  return {
    ...frame,
    next: members.length,
    count: countOneMore(frame),
    names: new Set(frame.names).add(name),
  };
}

/** Without a maximum, counting stops at the minimum: states recur. */
function countOneMore(frame: ObjectFrame): number {
  const { countMin, countMax } = frame.node;
  return countMax === Infinity && frame.count >= countMin ? frame.count : frame.count + 1;
}

/** Required members from `next` on. */
function requiredLeft(frame: ObjectFrame): { first: number; count: number } {
  const { members } = frame.node;
  let first = -1;
  let count = 0;
  for (let i = frame.next; i < members.length; i++) {
    if (members[i]?.isRequired !== true) continue;
    if (first < 0) first = i;
    count++;
  }
  return { first, count };
}

const canClose = (frame: ObjectFrame): boolean =>
  frame.count >= frame.node.countMin && requiredLeft(frame).first < 0;

/** Members beyond the required ones that are still needed to reach the minimum. */
export const deficitOf = (frame: ObjectFrame): number =>
  frame.node.countMin - frame.count - requiredLeft(frame).count;

const canGrow = (frame: ObjectFrame, stack: Stack): boolean =>
  openMembers(frame, stack) !== null || openExtras(frame, stack).length > 0;

function offerKeys(frame: ObjectFrame, stack: Stack, below: Stack, out: Expansion): void {
  const range = openMembers(frame, stack);
  if (range !== null) {
    const keys = createFilteredState(keysOf(frame.node), { ...range, without: noEntries });
    if (keys !== null) addThread(out, keys, pushFrame(below, { ...frame, phase: 'declared-key' }));
  }
  for (const extra of openExtras(frame, stack)) {
    const key = createExtraKey(frame, extra);
    if (key === null) continue;
    const index = frame.node.extras.indexOf(extra);
    addThread(out, key, pushFrame(below, { ...frame, phase: 'extra-key', extra: index }));
  }
}

/** Declared members that may come next, as a range of indices; null = none. */
function openMembers(frame: ObjectFrame, stack: Stack): { from: number; to: number } | null {
  const { members, countMin, countMax, extras } = frame.node;
  const required = requiredLeft(frame);
  const last = required.first >= 0 ? required.first : members.length - 1;
  if (frame.next > last) return null;
  const isForced = stack.depth >= depthMax;
  if (isForced && deficitOf(frame) > 0) return { from: frame.next, to: frame.next };
  // Another optional member would leave no room for the required ones.
  const isFull = frame.count + required.count >= countMax;
  if (isForced || isFull) return required.first < 0 ? null : { from: required.first, to: required.first };
  const capacity = extras.reduce((sum, extra) => sum + extra.capacity, -frame.names.size);
  // Skipping too many would leave too few for the minimum.
  const to = Math.min(last, members.length + frame.count + capacity - countMin);
  return { from: frame.next, to };
}

function openExtras(frame: ObjectFrame, stack: Stack): readonly ExtraMembers[] {
  const { extras, countMin, countMax } = frame.node;
  if (extras.length === 0 || requiredLeft(frame).first >= 0 || frame.count >= countMax) return [];
  const isNeeded = frame.count < countMin;
  if (stack.depth >= depthMax && (!isNeeded || openMembers(frame, stack) !== null)) return [];
  // An extra member ends the declared ones, so the minimum must be within reach without them.
  const capacity = extras.reduce((sum, extra) => sum + extra.capacity, -frame.names.size);
  if (frame.count + capacity < countMin) return [];
  return extras.filter((extra) => isEndless(extra.key) || createExtraKey(frame, extra) !== null);
}

/** Another name can always be found. */
export const isEndless = (key: StringMachine): boolean => key.pattern === null && key.lengthMax === Infinity;

/** The start of an extra member's key: never a declared name, never one that is taken. */
export function createExtraKey(frame: ObjectFrame, extra: ExtraMembers): StringState | null {
  const { reservedNames } = frame.node;
  const { guard } = extra.key;
  return createStringState({
    ...extra.key,
    isTextKept: true,
    guard: (name) => !reservedNames.has(name) && !frame.names.has(name) && guard?.(name) !== false,
  });
}
