/** Runs the automaton: which threads are alive after a character, and what may come after each. */
import { enterArray, resumeArray } from './array-frames.ts';
import type { GrammarNode } from './node.ts';
import { enterObject, resumeObject } from './object-frames.ts';
import {
  addThread,
  belowOf,
  createRootStack,
  depthMax,
  type Expansion,
  pushFrame,
  type Stack,
  type Thread,
} from './stack.ts';
import { acceptsRange, stepSpecial, stepTerminal, type TerminalState } from './terminal.ts';

/**
 * Ambiguous alternatives beyond this are dropped. Each thread can be completed by itself, so dropping some never
 * leads to a dead end; it only narrows what is accepted.
 */
const threadsMax = 256;

export function startThreads(root: GrammarNode): readonly Thread[] {
  const out: Expansion = { threads: [], canEnd: false };
  enter(root, createRootStack(), out);
  return out.threads;
}

function enter(node: GrammarNode, below: Stack, out: Expansion): void {
  switch (node.kind) {
    case 'terminal':
      addThread(out, node.start, below);
      return;
    case 'rule':
      enter(node.target, below, out);
      return;
    case 'choice':
      for (const item of node.items) if (isOpenAt(node.cost, item, below)) enter(item, below, out);
      return;
    case 'sequence':
      continueSequence({ kind: 'sequence', node, next: 0 }, below, out);
      return;
    case 'repeat':
      continueRepeat({ kind: 'repeat', node, count: 0 }, below, out);
      return;
    case 'array':
      enterArray(node, below, out);
      return;
    case 'object':
      enterObject(node, below, out);
      return;
    default:
      node satisfies never;
  }
}

/** In very deep places only scalars and the cheapest way out are open. */
const isOpenAt = (cheapest: number, item: GrammarNode, below: Stack): boolean =>
  below.depth < depthMax || item.kind === 'terminal' || item.cost === cheapest;

function continueSequence(
  frame: Extract<Stack['frame'], { kind: 'sequence' }>,
  below: Stack,
  out: Expansion,
): void {
  const item = frame.node.items[frame.next];
  if (item === undefined) resume(below, out, nothing);
  else if (frame.next === frame.node.items.length - 1) enter(item, below, out);
  else enter(item, pushFrame(below, { ...frame, next: frame.next + 1 }), out);
}

function continueRepeat(
  frame: Extract<Stack['frame'], { kind: 'repeat' }>,
  below: Stack,
  out: Expansion,
): void {
  const { node, count } = frame;
  if (count >= node.countMin) resume(below, out, nothing);
  if (count < node.countMax) enter(node.item, pushFrame(below, { ...frame, count: count + 1 }), out);
}

/** Stands for the completed terminal where the frame does not look at it. */
const nothing: TerminalState = { kind: 'special', token: '', isAccepting: true, canContinue: false };

function resume(stack: Stack, out: Expansion, completed: TerminalState): void {
  const { frame } = stack;
  switch (frame.kind) {
    case 'end':
      out.canEnd = true;
      return;
    case 'sequence':
      continueSequence(frame, belowOf(stack), out);
      return;
    case 'repeat':
      continueRepeat(frame, belowOf(stack), out);
      return;
    case 'array':
      resumeArray(frame, stack, completed, enter, out);
      return;
    case 'object':
      resumeObject(frame, stack, completed, enter, out);
      return;
    default:
      frame satisfies never;
  }
}

/** What may come once the thread's terminal (which must be accepting) ends here. */
export function expand(thread: Thread): Expansion {
  if (thread.expansion !== null) return thread.expansion;
  const out: Expansion = { threads: [], canEnd: false };
  resume(thread.below, out, thread.terminal);
  thread.expansion = out;
  return out;
}

/** The threads after one more code point; empty = refused. */
export function stepThreads(threads: readonly Thread[], code: number): readonly Thread[] {
  const [only] = threads;
  if (threads.length === 1 && only !== undefined && !only.terminal.isAccepting) {
    const next = stepTerminal(only.terminal, code);
    if (next === only.terminal) return threads;
    return next === null ? [] : [{ terminal: next, below: only.below, expansion: null }];
  }
  const out: Thread[] = [];
  for (const thread of threads) stepThread(thread, code, out);
  return out;
}

function stepThread(thread: Thread, code: number, out: Thread[]): void {
  const next = stepTerminal(thread.terminal, code);
  if (next !== null) addDistinct(out, next, thread);
  if (!thread.terminal.isAccepting) return;
  for (const follower of expand(thread).threads) stepThread(follower, code, out);
}

function addDistinct(out: Thread[], terminal: TerminalState, from: Thread): void {
  if (out.length >= threadsMax) return;
  for (const thread of out) if (thread.terminal === terminal && thread.below === from.below) return;
  out.push(terminal === from.terminal ? from : { terminal, below: from.below, expansion: null });
}

/** The threads after one special token; empty = refused. */
export function stepThreadsSpecial(threads: readonly Thread[], token: string): readonly Thread[] {
  const out: Thread[] = [];
  for (const thread of threads) {
    const next = stepSpecial(thread.terminal, token);
    if (next !== null) addDistinct(out, next, thread);
    if (thread.terminal.isAccepting) out.push(...stepThreadsSpecial(expand(thread).threads, token));
  }
  return out;
}

/** The threads that some code point of the range can continue. */
export const filterByRange = (threads: readonly Thread[], low: number, high: number): readonly Thread[] =>
  threads.filter((thread) => acceptsWithin(thread, low, high));

function acceptsWithin(thread: Thread, low: number, high: number): boolean {
  if (acceptsRange(thread.terminal, low, high)) return true;
  if (!thread.terminal.isAccepting) return false;
  return expand(thread).threads.some((follower) => acceptsWithin(follower, low, high));
}

export const canEnd = (threads: readonly Thread[]): boolean =>
  threads.some((thread) => {
    if (!thread.terminal.isAccepting) return false;
    const expansion = expand(thread);
    return expansion.canEnd || canEnd(expansion.threads);
  });

/** Whether anything at all may follow. */
export const canContinue = (threads: readonly Thread[]): boolean =>
  threads.some(
    (thread) =>
      thread.terminal.canContinue || (thread.terminal.isAccepting && expand(thread).threads.length > 0),
  );
