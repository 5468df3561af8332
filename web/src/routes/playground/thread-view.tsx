import { Wrench } from 'lucide-react';
import { useEffect, useLayoutEffect, useRef } from 'react';
import { CodeBlock } from '../../components/code-block.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { AnswerView } from './answer-view.tsx';
import { webSearchName } from './build-request.ts';
import {
  type AnswerNode,
  type ConversationNode,
  chooseNode,
  pathOf,
  siblingsOf,
  type Thread,
  type ToolResultsNode,
} from './conversation.ts';
import { playgroundMessages } from './playground-messages.ts';
import { formatJson } from './tool-calls.tsx';
import type { Playground, ThreadIndex } from './use-playground.ts';
import { UserMessage } from './user-message.tsx';

/** Closer to the end than this counts as at the end. */
const nearEndPx = 80;

/** One column of messages. It follows the answer while the reader is at the end, and stays put when not. */
export function ThreadView({
  thread,
  index,
  playground,
  onShowRaw,
}: {
  readonly thread: Thread;
  readonly index: ThreadIndex;
  readonly playground: Playground;
  onShowRaw(answer: AnswerNode): void;
}) {
  const t = useMessages(playgroundMessages);
  const path = pathOf(thread);
  const scroll = useFollowEnd(path);
  const choose = (node: ConversationNode): void =>
    playground.changeThread(index, (current) => chooseNode(current, node));
  const remove = (nodeId: string): void => playground.remove(index, nodeId);
  return (
    <div
      ref={scroll}
      tabIndex={0}
      role="log"
      aria-label={t('messages')}
      className="min-h-0 flex-1 overflow-y-auto focus-visible:-outline-offset-2"
    >
      <div className="mx-auto flex max-w-3xl flex-col gap-5 px-4 py-6 sm:px-6">
        {path.map((node, position) => {
          if (node.role === 'tool') return <ToolResults key={node.id} node={node} />;
          const siblings = siblingsOf(thread, node);
          return node.role === 'user' ? (
            <UserMessage
              key={node.id}
              node={node}
              siblings={siblings}
              onChoose={choose}
              onEdit={(each, text) => playground.edit(index, each, text)}
              onRemove={remove}
            />
          ) : (
            <AnswerView
              key={node.id}
              answer={node}
              siblings={siblings}
              onChoose={choose}
              onRetry={(answer) => playground.retry(index, answer)}
              onRemove={remove}
              onShowRaw={onShowRaw}
              onToolResults={
                position < path.length - 1
                  ? undefined
                  : (answer, results) => playground.sendToolResults(index, answer, results)
              }
            />
          );
        })}
      </div>
    </div>
  );
}

/** Results that were entered by hand; those of a search are the server's own and say nothing to people. */
export function ToolResults({ node }: { readonly node: ToolResultsNode }) {
  const t = useMessages(playgroundMessages);
  const shown = node.results.filter(({ name }) => name !== webSearchName);
  if (shown.length === 0) return null;
  return (
    <article aria-label={t('toolResults')} className="flex flex-col gap-2">
      {shown.map(({ callId, name, content }) => (
        <CodeBlock
          key={callId}
          code={formatJson(content)}
          language={/^\s*[[{]/.test(content) ? 'json' : 'text'}
          maxHeight="16rem"
          title={
            <span className="flex items-center gap-2">
              <Wrench size={13} aria-hidden />
              {t('toolResult', { name })}
            </span>
          }
        />
      ))}
    </article>
  );
}

function useFollowEnd(path: readonly ConversationNode[]) {
  const scroll = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const last = path.at(-1);
  const count = path.length;
  useEffect(() => {
    const element = scroll.current;
    if (element === null) return undefined;
    const onScroll = (): void => {
      isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < nearEndPx;
    };
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => element.removeEventListener('scroll', onScroll);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a message more is always shown, wherever the reader was.
  useLayoutEffect(() => {
    isAtEnd.current = true;
  }, [count]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: every change of the last message may have made it longer.
  useLayoutEffect(() => {
    const element = scroll.current;
    if (element !== null && isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [last]);
  return scroll;
}
