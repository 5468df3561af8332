/** What is still to come after the terminal being read: an immutable stack of frames, shared between threads. */
import type { ArrayNode, GrammarNode, ObjectNode, RepeatNode, SequenceNode } from './node.ts';
import type { TerminalState } from './terminal.ts';

export interface EndFrame {
  readonly kind: 'end';
}

export interface SequenceFrame {
  readonly kind: 'sequence';
  readonly node: SequenceNode;
  /** The item to enter next. */
  readonly next: number;
}

export interface RepeatFrame {
  readonly kind: 'repeat';
  readonly node: RepeatNode;
  /** Items that are complete when the frame is resumed. */
  readonly count: number;
}

export interface ArrayFrame {
  readonly kind: 'array';
  readonly node: ArrayNode;
  /** What was read last. */
  readonly phase: 'open' | 'item' | 'comma';
  /** Items begun so far; stops counting when more make no difference. */
  readonly count: number;
  /** Entries or texts that are taken, when items are distinct. */
  readonly taken: ReadonlySet<number | string>;
}

export interface ObjectFrame {
  readonly kind: 'object';
  readonly node: ObjectNode;
  /** What was read last. */
  readonly phase: 'open' | 'declared-key' | 'extra-key' | 'extra-colon' | 'value' | 'comma';
  /** The first member that may still come. */
  readonly next: number;
  readonly count: number;
  /** Names of the extra members so far. */
  readonly names: ReadonlySet<string>;
  /** Which kind of extra member is being read. */
  readonly extra: number;
}

export type Frame = EndFrame | SequenceFrame | RepeatFrame | ArrayFrame | ObjectFrame;

export interface Stack {
  readonly frame: Frame;
  readonly below: Stack | null;
  /** Arrays and objects on the stack. */
  readonly depth: number;
}

/** One way to read the text so far. */
export interface Thread {
  readonly terminal: TerminalState;
  readonly below: Stack;
  /** What may come after the terminal, once asked for. */
  expansion: Expansion | null;
}

export interface Expansion {
  readonly threads: Thread[];
  /** The whole sentence may end here. */
  canEnd: boolean;
}

export const createRootStack = (): Stack => ({ frame: { kind: 'end' }, below: null, depth: 0 });

export function pushFrame(below: Stack, frame: Frame): Stack {
  const isContainer = frame.kind === 'array' || frame.kind === 'object';
  return { frame, below, depth: below.depth + (isContainer ? 1 : 0) };
}

/** The stack that a frame was pushed on. */
export function belowOf(stack: Stack): Stack {
  if (stack.below === null) throw new Error('the end of the sentence has nothing below it');
  return stack.below;
}

export const addThread = (out: Expansion, terminal: TerminalState, below: Stack): void => {
  out.threads.push({ terminal, below, expansion: null });
};

/** Arrays and objects within each other. Beyond it only what is required is offered, so that nesting ends. */
export const depthMax = 32;

export type Enter = (node: GrammarNode, below: Stack, out: Expansion) => void;
