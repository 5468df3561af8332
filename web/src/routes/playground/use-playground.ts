/** The playground's state: a conversation, what is under way in it, and everything a person can do to it. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { type ChatStream, streamChat } from '../../api/stream-chat.ts';
import type { ChatChunk, ChatRequestBody } from '../../api/wire-types.ts';
import { buildHeaders, buildRequest, SettingsFault, webSearchName } from './build-request.ts';
import {
  type AnswerNode,
  addNodes,
  type Conversation,
  type ConversationNode,
  pathAbove,
  pathOf,
  removeNode,
  replaceNode,
  type Thread,
  type ToolResult,
} from './conversation.ts';
import { createAnswer } from './create-answer.ts';
import { readAnswer } from './read-answer.ts';
import type { Settings } from './settings.ts';

/** A search leads to an answer or to another search; more in a row than this is a loop. */
const searchesMax = 5;

export type ThreadIndex = 0 | 1;

export interface Playground {
  readonly conversation: Conversation;
  /** Chunks of this visit, by answer; an answer that was loaded has none. */
  chunksOf(answerId: string): readonly ChatChunk[];
  isBusy(thread: ThreadIndex): boolean;
  /** What keeps a request from being made. */
  readonly fault: SettingsFault | undefined;
  /** False when a fault keeps it from being sent: then nothing was added. */
  send(text: string): boolean;
  /** Another answer beside this one. */
  retry(thread: ThreadIndex, answer: AnswerNode): void;
  /** Another question beside this one, and its answer. False as of `send`. */
  edit(thread: ThreadIndex, node: ConversationNode, text: string): boolean;
  sendToolResults(thread: ThreadIndex, answer: AnswerNode, results: readonly ToolResult[]): void;
  stop(thread?: ThreadIndex): void;
  remove(thread: ThreadIndex, nodeId: string): void;
  changeThread(thread: ThreadIndex, change: (thread: Thread) => Thread): void;
  changeSettings(thread: ThreadIndex, change: Partial<Settings>): void;
  /** Adds a second column that begins as the first, or keeps only one. */
  compare(): void;
  keepOnly(thread: ThreadIndex): void;
  replace(conversation: Conversation): void;
}

interface Options {
  readonly initial: Conversation;
  /** After every answer, well or badly ended; the conversation holds it, what React shows may not yet. */
  onAnswered(conversation: Conversation): void;
}

function updateThread(
  conversation: Conversation,
  index: ThreadIndex,
  change: (thread: Thread) => Thread,
): Conversation {
  const [first, second] = conversation.threads;
  if (second === undefined) return index === 0 ? { ...conversation, threads: [change(first)] } : conversation;
  return { ...conversation, threads: index === 0 ? [change(first), second] : [first, change(second)] };
}

const newId = (): string => Math.random().toString(36).slice(2, 12);

export function usePlayground({ initial, onAnswered }: Options): Playground {
  const [conversation, setConversation] = useState(initial);
  const [fault, setFault] = useState<SettingsFault>();
  const [busy, setBusy] = useState<readonly [boolean, boolean]>([false, false]);
  const latest = useRef(conversation);
  const controllers = useRef<[AbortController | undefined, AbortController | undefined]>([
    undefined,
    undefined,
  ]);
  const chunks = useRef(new Map<string, ChatChunk[]>());
  const answered = useRef(onAnswered);
  useEffect(() => {
    answered.current = onAnswered;
  });

  const change = useCallback((update: (current: Conversation) => Conversation): void => {
    latest.current = update(latest.current);
    setConversation(latest.current);
  }, []);
  const changeThread = useCallback(
    (index: ThreadIndex, update: (thread: Thread) => Thread) =>
      change((current) => updateThread(current, index, update)),
    [change],
  );

  useEffect(
    () => () => {
      for (const controller of controllers.current) controller?.abort();
    },
    [],
  );

  /** Asks for the answer below `path`, and once more after each search that the model makes. */
  const ask = useCallback(
    async (index: ThreadIndex, path: readonly ConversationNode[]): Promise<void> => {
      const settings = latest.current.threads[index]?.settings;
      if (settings === undefined) return;
      const request = buildRequest(settings, path);
      controllers.current[index]?.abort();
      const controller = new AbortController();
      controllers.current[index] = controller;
      setBusy((current) => (index === 0 ? [true, current[1]] : [current[0], true]));
      const turn = { signal: controller.signal, headers: buildHeaders(settings), chunks: chunks.current };
      await runTurns({ ...turn, request, path, settings, onThread: (update) => changeThread(index, update) });
      if (controllers.current[index] === controller) {
        controllers.current[index] = undefined;
        setBusy((current) => (index === 0 ? [false, current[1]] : [current[0], false]));
      }
      answered.current(latest.current);
    },
    [changeThread],
  );

  /** Whether requests can be made of the settings; what keeps them from it is shown. */
  const check = useCallback((...indexes: readonly ThreadIndex[]): boolean => {
    try {
      for (const index of indexes) {
        const thread = latest.current.threads[index];
        if (thread !== undefined) buildRequest(thread.settings, []);
      }
      setFault(undefined);
      return true;
    } catch (error) {
      if (!(error instanceof SettingsFault)) throw error;
      setFault(error);
      return false;
    }
  }, []);

  const actions = useMemo(
    () => ({
      chunksOf: (answerId: string) => chunks.current.get(answerId) ?? [],
      send(text: string) {
        const indexes = threadIndexes(latest.current);
        if (!check(...indexes)) return false;
        for (const index of indexes) {
          const thread = latest.current.threads[index];
          if (thread === undefined) continue;
          const path = pathOf(thread);
          const node: ConversationNode = { id: newId(), parentId: path.at(-1)?.id, role: 'user', text };
          changeThread(index, (current) => addNodes(current, [node]));
          void ask(index, [...path, node]);
        }
        return true;
      },
      retry(index: ThreadIndex, answer: AnswerNode) {
        const thread = latest.current.threads[index];
        if (thread !== undefined && check(index)) void ask(index, pathAbove(thread, answer.id));
      },
      edit(index: ThreadIndex, { id, parentId }: ConversationNode, text: string) {
        const thread = latest.current.threads[index];
        if (thread === undefined || !check(index)) return false;
        const node: ConversationNode = { id: newId(), parentId, role: 'user', text };
        const above = pathAbove(thread, id);
        changeThread(index, (current) => addNodes(current, [node]));
        void ask(index, [...above, node]);
        return true;
      },
      sendToolResults(index: ThreadIndex, answer: AnswerNode, results: readonly ToolResult[]) {
        const thread = latest.current.threads[index];
        if (thread === undefined || !check(index)) return;
        const node: ConversationNode = { id: newId(), parentId: answer.id, role: 'tool', results };
        changeThread(index, (current) => addNodes(current, [node]));
        void ask(index, [...pathAbove(thread, answer.id), answer, node]);
      },
      stop(index?: ThreadIndex) {
        for (const each of index === undefined ? ([0, 1] as const) : [index])
          controllers.current[each]?.abort();
      },
      remove: (index: ThreadIndex, nodeId: string) =>
        changeThread(index, (thread) => removeNode(thread, nodeId)),
      changeThread,
      changeSettings: (index: ThreadIndex, settings: Partial<Settings>) =>
        changeThread(index, (thread) => ({ ...thread, settings: { ...thread.settings, ...settings } })),
      compare: () => change((current) => ({ ...current, threads: [current.threads[0], current.threads[0]] })),
      keepOnly(index: ThreadIndex) {
        controllers.current[index === 0 ? 1 : 0]?.abort();
        change((current) => ({ ...current, threads: [current.threads[index] ?? current.threads[0]] }));
      },
      replace(next: Conversation) {
        for (const controller of controllers.current) controller?.abort();
        change(() => next);
      },
    }),
    [ask, change, changeThread, check],
  );

  return { conversation, fault, isBusy: (index) => busy[index], ...actions };
}

const threadIndexes = (conversation: Conversation): readonly ThreadIndex[] =>
  conversation.threads.length === 2 ? [0, 1] : [0];

interface Turn {
  readonly request: ChatRequestBody;
  readonly settings: Settings;
  readonly path: readonly ConversationNode[];
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly chunks: Map<string, ChatChunk[]>;
  onThread(update: (thread: Thread) => Thread): void;
}

async function runTurns(turn: Turn): Promise<void> {
  let { request, path } = turn;
  for (let searches = 0; searches <= searchesMax; searches += 1) {
    const answer = await runTurn({ ...turn, request, path });
    if (answer?.state !== 'complete' || !isSearch(answer)) return;
    const results: ConversationNode = {
      id: newId(),
      parentId: answer.id,
      role: 'tool',
      results: echoSearches(answer),
    };
    turn.onThread((thread) => addNodes(thread, [results]));
    path = [...path, answer, results];
    request = buildRequest(turn.settings, path);
  }
}

/** One request; resolves to its first answer. */
async function runTurn({
  request,
  path,
  headers,
  signal,
  chunks,
  onThread,
}: Turn): Promise<AnswerNode | undefined> {
  const parentId = path.at(-1)?.id;
  const empty = Array.from({ length: request.n ?? 1 }, () =>
    createAnswer({ id: newId(), parentId, request }),
  );
  onThread((thread) => addNodes(thread, empty));
  const firstId = empty[0]?.id ?? '';
  const received: ChatChunk[] = [];
  chunks.set(firstId, received);
  const show = (answers: readonly AnswerNode[]): void =>
    onThread((thread) => answers.reduce(replaceNode, thread));
  const paint = oncePerFrame(show);
  const answers = await readAnswer({
    answers: empty,
    signal,
    open: (): Promise<ChatStream> => streamChat(request, { signal, headers }),
    now: () => performance.now(),
    onChange: paint,
    onChunk: (chunk) => received.push(chunk),
  });
  paint.cancel();
  show(answers);
  return answers[0];
}

const isSearch = ({ finishReason, toolCalls }: AnswerNode): boolean =>
  finishReason === 'tool_calls' &&
  toolCalls.length > 0 &&
  toolCalls.every(({ name }) => name === webSearchName);

/** The protocol of `$web_search`: its arguments come back as its result, unread. */
export function echoSearches({ toolCalls }: AnswerNode): readonly ToolResult[] {
  return toolCalls
    .filter(({ name }) => name === webSearchName)
    .map(({ id, name, argumentsText }) => ({ callId: id, name, content: argumentsText }));
}

/** A fast stream brings hundreds of tokens a second; a screen shows sixty frames. */
function oncePerFrame<Value>(run: (value: Value) => void): ((value: Value) => void) & { cancel(): void } {
  let latest: Value;
  let frame: number | undefined;
  const schedule = (value: Value): void => {
    latest = value;
    frame ??= requestAnimationFrame(() => {
      frame = undefined;
      run(latest);
    });
  };
  return Object.assign(schedule, {
    cancel() {
      if (frame !== undefined) cancelAnimationFrame(frame);
    },
  });
}
