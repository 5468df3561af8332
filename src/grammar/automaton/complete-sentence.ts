/** Writes a short rest of a sentence from anywhere in it. */
import type { CompletionPiece } from '../constraint.ts';
import { itemAt, startDistinctItem, takenBy } from './array-frames.ts';
import { type ArrayNode, type GrammarNode, type ObjectNode, punctuationStates } from './node.ts';
import { afterDeclaredKey, afterExtraKey, createExtraKey, deficitOf, openFrame } from './object-frames.ts';
import type { ArrayFrame, ObjectFrame, Stack, Thread } from './stack.ts';
import { completeTerminal, stepTerminal, type TerminalState } from './terminal.ts';

interface Writer {
  readonly pieces: CompletionPiece[];
  length: number;
}

/** More alternatives than this are not compared. */
const comparedMax = 16;

/** The shortest of the threads' completions. */
export function completeThreads(threads: readonly Thread[]): readonly CompletionPiece[] {
  let best: Writer | undefined;
  for (const thread of threads.slice(0, comparedMax)) {
    const writer: Writer = { pieces: [], length: 0 };
    const completed = writeTerminal(thread.terminal, writer);
    writeRest(thread.below, completed, writer);
    if (best === undefined || writer.length < best.length) best = writer;
  }
  return best?.pieces ?? [];
}

function writeText(text: string, writer: Writer): void {
  writer.length += text.length;
  const last = writer.pieces.at(-1);
  if (text === '') return;
  if (last?.type === 'text')
    writer.pieces[writer.pieces.length - 1] = { type: 'text', text: last.text + text };
  else writer.pieces.push({ type: 'text', text });
}

/** Writes the rest of a terminal and returns its completed state. */
function writeTerminal(terminal: TerminalState, writer: Writer): TerminalState {
  if (terminal.kind === 'special') {
    if (!terminal.isAccepting) {
      writer.pieces.push({ type: 'special', token: terminal.token });
      writer.length++;
    }
    return terminal;
  }
  const text = completeTerminal(terminal);
  writeText(text, writer);
  let at: TerminalState = terminal;
  for (const character of text) at = stepTerminal(at, character.codePointAt(0) ?? 0) ?? at;
  return at;
}

function writeNode(node: GrammarNode, writer: Writer): void {
  switch (node.kind) {
    case 'terminal':
      writeTerminal(node.start, writer);
      return;
    case 'rule':
      writeNode(node.target, writer);
      return;
    case 'choice': {
      const cheapest = node.items.find((item) => item.cost === node.cost);
      if (cheapest !== undefined) writeNode(cheapest, writer);
      return;
    }
    case 'sequence':
      for (const item of node.items) writeNode(item, writer);
      return;
    case 'repeat':
      for (let i = 0; i < node.countMin; i++) writeNode(node.item, writer);
      return;
    case 'array':
      writeText('[', writer);
      writeArrayRest({ kind: 'array', node, phase: 'open', count: 0, taken: new Set() }, writer);
      return;
    case 'object':
      writeText('{', writer);
      writeObjectRest(openFrame(node), writer);
      return;
    default:
      node satisfies never;
  }
}

function writeRest(stack: Stack, completed: TerminalState, writer: Writer): void {
  let last = completed;
  for (let at: Stack | null = stack; at !== null; at = at.below) {
    const { frame } = at;
    switch (frame.kind) {
      case 'end':
        return;
      case 'sequence':
        for (const item of frame.node.items.slice(frame.next)) writeNode(item, writer);
        break;
      case 'repeat':
        for (let i = frame.count; i < frame.node.countMin; i++) writeNode(frame.node.item, writer);
        break;
      case 'array':
        writeArrayRest(takeEntry(frame, last), writer);
        break;
      case 'object':
        writeAfterKey(frame, last, writer);
        break;
      default:
        frame satisfies never;
    }
    last = punctuationStates.comma;
  }
}

function takeEntry(frame: ArrayFrame, completed: TerminalState): ArrayFrame {
  if (frame.phase !== 'item' || frame.node.distinct === null) return frame;
  return { ...frame, taken: new Set(frame.taken).add(takenBy(completed)) };
}

function writeArrayRest(frame: ArrayFrame, writer: Writer): void {
  const { node } = frame;
  const taken = new Set(frame.taken);
  // After a comma an item must follow, wanted or not.
  const countDue = frame.phase === 'comma' ? frame.count + 1 : 0;
  for (let count = frame.count; count < Math.max(node.countMin, countDue); count++) {
    const isAfterItem = count > frame.count || frame.phase === 'item';
    if (isAfterItem) writeText(',', writer);
    writeItem(node, count, taken, writer);
  }
  writeText(']', writer);
}

function writeItem(node: ArrayNode, position: number, taken: Set<number | string>, writer: Writer): void {
  if (node.distinct === null) {
    const item = itemAt(node, position);
    if (item !== null) writeNode(item, writer);
    return;
  }
  const start = startDistinctItem(node.distinct, taken);
  if (start !== null) taken.add(takenBy(writeTerminal(start, writer)));
}

/** Finishes the member that was being read, then the object. */
function writeAfterKey(frame: ObjectFrame, completed: TerminalState, writer: Writer): void {
  switch (frame.phase) {
    case 'declared-key': {
      const after = afterDeclaredKey(frame, completed);
      const member = frame.node.members[after.next - 1];
      if (member !== undefined) writeNode(member.value, writer);
      writeObjectRest(after, writer);
      return;
    }
    case 'extra-key':
    case 'extra-colon': {
      const after = frame.phase === 'extra-key' ? afterExtraKey(frame, completed) : frame;
      if (frame.phase === 'extra-key') writeText(':', writer);
      writeExtraValue(frame.node, frame.extra, writer);
      writeObjectRest({ ...after, phase: 'value' }, writer);
      return;
    }
    default:
      writeObjectRest(frame, writer);
  }
}

function writeExtraValue(node: ObjectNode, extra: number, writer: Writer): void {
  const value = node.extras[extra]?.value;
  if (value !== undefined) writeNode(value, writer);
}

function writeObjectRest(start: ObjectFrame, writer: Writer): void {
  const { members } = start.node;
  let frame = start;
  let isMemberDue = start.phase === 'comma';
  for (let i = frame.next; i < members.length; i++) {
    const member = members[i];
    if (member === undefined) break;
    const isTaken = member.isRequired || deficitOf(frame) > 0 || isDueHere(frame, i, isMemberDue);
    if (!isTaken) continue;
    if (frame.phase === 'value') writeText(',', writer);
    writeText(`${JSON.stringify(member.name)}:`, writer);
    writeNode(member.value, writer);
    isMemberDue = false;
    frame = { ...frame, phase: 'value', next: i + 1, count: frame.count + 1 };
  }
  frame = { ...frame, next: members.length };
  while (deficitOf(frame) > 0 || isMemberDue) {
    const next = writeExtra(frame, writer);
    if (next === null) break;
    frame = next;
    isMemberDue = false;
  }
  writeText('}', writer);
}

/** After a comma some member must follow: a required one, else the next, else (if none is left) an extra one. */
function isDueHere(frame: ObjectFrame, position: number, isMemberDue: boolean): boolean {
  return isMemberDue && !frame.node.members.slice(position).some(({ isRequired }) => isRequired);
}

function writeExtra(frame: ObjectFrame, writer: Writer): ObjectFrame | null {
  for (const extra of frame.node.extras) {
    const key = createExtraKey(frame, extra);
    if (key === null) continue;
    if (frame.phase === 'value') writeText(',', writer);
    const completed = writeTerminal(key, writer);
    writeText(':', writer);
    writeNode(extra.value, writer);
    const after = afterExtraKey(frame, completed);
    return { ...after, phase: 'value', count: frame.count + 1 };
  }
  return null;
}
