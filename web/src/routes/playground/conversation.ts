/**
 * A conversation as a tree: asking again or editing adds a branch and loses nothing. Everything here is pure; times and
 * ids come from outside.
 */
import type { Annotation, ChatRequestBody, FinishReason } from '../../api/wire-types.ts';
import type { Settings } from './settings.ts';

interface NodeBase {
  readonly id: string;
  /** Undefined = the first message of the conversation. */
  readonly parentId: string | undefined;
}

export interface UserNode extends NodeBase {
  readonly role: 'user';
  readonly text: string;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text, as it has arrived so far. */
  readonly argumentsText: string;
}

export interface AnswerFailure {
  readonly code: string;
  readonly message: string;
  readonly requestId: string | undefined;
}

export interface AnswerNumbers {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** Of the whole request; with several choices each shows the same. */
  readonly costUsd: number | undefined;
}

export interface AnswerNode extends NodeBase {
  readonly role: 'assistant';
  readonly state: 'streaming' | 'complete' | 'stopped' | 'failed';
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly annotations: readonly Annotation[];
  readonly finishReason: FinishReason | undefined;
  readonly failure: AnswerFailure | undefined;
  readonly numbers: AnswerNumbers | undefined;
  /** From the request to the first token, and to the end. */
  readonly firstTokenMs: number | undefined;
  readonly totalMs: number | undefined;
  readonly inferenceId: string | undefined;
  /** Exactly what was sent. */
  readonly request: ChatRequestBody;
}

export interface ToolResult {
  readonly callId: string;
  readonly name: string;
  readonly content: string;
}

/** The results of all calls of the answer above it. */
export interface ToolResultsNode extends NodeBase {
  readonly role: 'tool';
  readonly results: readonly ToolResult[];
}

export type ConversationNode = UserNode | AnswerNode | ToolResultsNode;

/** One column: settings, and the messages that were exchanged with them. */
export interface Thread {
  readonly settings: Settings;
  readonly nodes: Readonly<Record<string, ConversationNode>>;
  /** Which child is shown below each node (`''` = the beginning). */
  readonly chosen: Readonly<Record<string, string>>;
}

/** One thread, or two that are compared. */
export interface Conversation {
  readonly version: 1;
  readonly threads: readonly [Thread] | readonly [Thread, Thread];
}

const keyOf = (parentId: string | undefined): string => parentId ?? '';

export function createThread(settings: Settings): Thread {
  return { settings, nodes: {}, chosen: {} };
}

/** The nodes that are shown, from the first to the last. */
export function pathOf(thread: Thread): readonly ConversationNode[] {
  const path: ConversationNode[] = [];
  for (;;) {
    const id = thread.chosen[keyOf(path.at(-1)?.id)];
    const node = id === undefined ? undefined : thread.nodes[id];
    if (node === undefined) return path;
    path.push(node);
  }
}

/** The shown nodes above one, itself left out: what its request was made of. */
export function pathAbove(thread: Thread, nodeId: string): readonly ConversationNode[] {
  const path: ConversationNode[] = [];
  let parentId = thread.nodes[nodeId]?.parentId;
  while (parentId !== undefined) {
    const node = thread.nodes[parentId];
    if (node === undefined) break;
    path.unshift(node);
    parentId = node.parentId;
  }
  return path;
}

/** A node and the others at its place, oldest first. */
export function siblingsOf(thread: Thread, node: ConversationNode): readonly ConversationNode[] {
  return Object.values(thread.nodes).filter(
    (each) => each.parentId === node.parentId && (each.role === node.role || node.parentId === undefined),
  );
}

/** Adds nodes below their parents and shows the first of them. */
export function addNodes(thread: Thread, nodes: readonly ConversationNode[]): Thread {
  const first = nodes[0];
  if (first === undefined) return thread;
  return {
    ...thread,
    nodes: { ...thread.nodes, ...Object.fromEntries(nodes.map((node) => [node.id, node])) },
    chosen: { ...thread.chosen, [keyOf(first.parentId)]: first.id },
  };
}

/** Replaces a node that is there already; one that was deleted meanwhile stays deleted. */
export function replaceNode(thread: Thread, node: ConversationNode): Thread {
  return thread.nodes[node.id] === undefined
    ? thread
    : { ...thread, nodes: { ...thread.nodes, [node.id]: node } };
}

export function chooseNode(thread: Thread, node: ConversationNode): Thread {
  return { ...thread, chosen: { ...thread.chosen, [keyOf(node.parentId)]: node.id } };
}

/** Removes a node with everything below it, and shows what stood beside it. */
export function removeNode(thread: Thread, nodeId: string): Thread {
  const node = thread.nodes[nodeId];
  if (node === undefined) return thread;
  const removed = new Set([nodeId]);
  // Children are always added after their parents.
  for (const each of Object.values(thread.nodes)) {
    if (each.parentId !== undefined && removed.has(each.parentId)) removed.add(each.id);
  }
  const nodes = Object.fromEntries(Object.entries(thread.nodes).filter(([id]) => !removed.has(id)));
  const beside = siblingsOf({ ...thread, nodes }, node).at(-1);
  const chosen = Object.fromEntries(
    Object.entries(thread.chosen).filter(([parent, child]) => !removed.has(parent) && !removed.has(child)),
  );
  return {
    ...thread,
    nodes,
    chosen: beside === undefined ? chosen : { ...chosen, [keyOf(node.parentId)]: beside.id },
  };
}

/** Answers that were under way when the page was left never end: they are shown as cut off. */
export function settleOpenAnswers(conversation: Conversation): Conversation {
  const settle = (thread: Thread): Thread => ({
    ...thread,
    nodes: Object.fromEntries(
      Object.entries(thread.nodes).map(([id, node]) => [
        id,
        node.role === 'assistant' && node.state === 'streaming'
          ? { ...node, state: 'stopped' as const }
          : node,
      ]),
    ),
  });
  const [first, second] = conversation.threads;
  return {
    ...conversation,
    threads: second === undefined ? [settle(first)] : [settle(first), settle(second)],
  };
}

const titleLengthMax = 60;

/** The first words of the person. */
export function titleOf(conversation: Conversation): string | undefined {
  const first = pathOf(conversation.threads[0]).find((node) => node.role === 'user');
  if (first === undefined) return undefined;
  const text = first.text.trim().replace(/\s+/g, ' ');
  return text.length > titleLengthMax ? `${text.slice(0, titleLengthMax - 1)}…` : text;
}
