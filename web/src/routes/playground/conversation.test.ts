import { describe, expect, it } from 'vitest';
import {
  type AnswerNode,
  addNodes,
  chooseNode,
  createThread,
  pathAbove,
  pathOf,
  removeNode,
  replaceNode,
  settleOpenAnswers,
  siblingsOf,
  type Thread,
  titleOf,
  type UserNode,
} from './conversation.ts';
import { readConversation, readExport, writeExport } from './read-conversation.ts';
import { createSettings } from './settings.ts';

const user = (id: string, parentId?: string): UserNode => ({
  id,
  parentId,
  role: 'user',
  text: `text of ${id}`,
});
const answer = (id: string, parentId: string): AnswerNode => ({
  id,
  parentId,
  role: 'assistant',
  state: 'complete',
  text: id,
  toolCalls: [],
  annotations: [],
  finishReason: 'stop',
  failure: undefined,
  numbers: undefined,
  firstTokenMs: undefined,
  totalMs: undefined,
  inferenceId: undefined,
  request: { model: 'm', messages: [{ role: 'user', content: 'x' }] },
});

const ids = (thread: Thread): readonly string[] => pathOf(thread).map(({ id }) => id);

function build(): Thread {
  let thread = createThread(createSettings('m'));
  for (const node of [user('u1'), answer('a1', 'u1'), user('u2', 'a1'), answer('a2', 'u2')]) {
    thread = addNodes(thread, [node]);
  }
  return thread;
}

describe('a conversation', () => {
  it('shows the newest branch and keeps the others', () => {
    const edited = addNodes(addNodes(build(), [user('u2b', 'a1')]), [answer('a2b', 'u2b')]);
    expect(ids(edited)).toEqual(['u1', 'a1', 'u2b', 'a2b']);
    const back = chooseNode(edited, user('u2', 'a1'));
    expect(ids(back)).toEqual(['u1', 'a1', 'u2', 'a2']);
    expect(siblingsOf(back, user('u2', 'a1')).map(({ id }) => id)).toEqual(['u2', 'u2b']);
  });

  it('asks again with exactly what stood above the answer', () => {
    expect(pathAbove(build(), 'a2').map(({ id }) => id)).toEqual(['u1', 'a1', 'u2']);
  });

  it('shows several answers to one request as branches, the first of them', () => {
    const thread = addNodes(build(), [answer('x', 'u2'), answer('y', 'u2')]);
    expect(ids(thread).at(-1)).toBe('x');
    expect(siblingsOf(thread, answer('x', 'u2'))).toHaveLength(3);
  });

  it('deletes a message with everything below it, and shows what stood beside it', () => {
    const edited = addNodes(addNodes(build(), [user('u2b', 'a1')]), [answer('a2b', 'u2b')]);
    const removed = removeNode(edited, 'u2b');
    expect(ids(removed)).toEqual(['u1', 'a1', 'u2', 'a2']);
    expect(Object.keys(removed.nodes)).not.toContain('a2b');
    expect(ids(removeNode(removed, 'u1'))).toEqual([]);
  });

  it('does not bring back a message that was deleted while its answer came', () => {
    const removed = removeNode(build(), 'u2');
    expect(replaceNode(removed, answer('a2', 'u2')).nodes.a2).toBeUndefined();
  });

  it('is called after the first words of the person', () => {
    const long: UserNode = { ...user('u1'), text: `  many\n words ${'x'.repeat(90)}` };
    const title = titleOf({ version: 1, threads: [addNodes(createThread(createSettings('m')), [long])] });
    expect(title).toHaveLength(60);
    expect(title).toMatch(/^many words x+…$/);
    expect(titleOf({ version: 1, threads: [createThread(createSettings('m'))] })).toBeUndefined();
  });
});

describe('a stored conversation', () => {
  const conversation = { version: 1 as const, threads: [build()] as const };
  /** Whoever shows it would never come to an end. */
  const circle = (parents: Record<string, string | undefined>, chosen: Record<string, string>) => {
    const nodes = Object.fromEntries(
      Object.entries(parents).map(([id, parentId]) => [id, { ...user(id), parentId }]),
    );
    return { version: 1, threads: [{ ...build(), nodes, chosen }] };
  };

  it('comes back as it was, through JSON', () => {
    expect(readExport(writeExport('A title', conversation))).toEqual({ title: 'A title', conversation });
  });

  it('shows an answer that never ended as stopped', () => {
    const open = addNodes(build(), [{ ...answer('a3', 'u2'), state: 'streaming' as const }]);
    const settled = settleOpenAnswers({ version: 1, threads: [open] });
    expect(settled.threads[0].nodes.a3).toMatchObject({ state: 'stopped' });
  });

  it.each([
    ['nothing', undefined],
    ['another version', { ...conversation, version: 2 }],
    ['three columns', { ...conversation, threads: [build(), build(), build()] }],
    [
      'a message without text',
      { version: 1, threads: [{ ...build(), nodes: { a: { id: 'a', role: 'user' } } }] },
    ],
    ['messages in a circle', circle({ a: 'b', b: 'a' }, { '': 'a', a: 'b', b: 'a' })],
    ['a choice that leads back up', circle({ a: undefined, b: 'a' }, { '': 'a', a: 'b', b: 'a' })],
  ])('is refused when it is %s', (_name, value) => {
    expect(readConversation(value)).toBeUndefined();
  });

  it('is not read from files of another kind', () => {
    expect(readExport('no JSON')).toBeUndefined();
    expect(readExport('{"format":"other","title":"t","content":{}}')).toBeUndefined();
  });
});
