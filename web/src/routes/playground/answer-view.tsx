import { Braces, RefreshCw, Trash2 } from 'lucide-react';
import { memo, useMemo } from 'react';
import { IconButton } from '../../components/button.tsx';
import { CodeBlock } from '../../components/code-block.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Markdown } from '../../components/markdown/markdown.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { AnswerFailureNote } from './answer-failure.tsx';
import { AnswerStats } from './answer-stats.tsx';
import { BranchSwitch } from './branch-switch.tsx';
import { citeSources } from './cite-sources.ts';
import type { AnswerNode, ConversationNode, ToolResult } from './conversation.ts';
import { playgroundMessages } from './playground-messages.ts';
import { SchemaVerdict } from './schema-verdict.tsx';
import { SourceCards } from './source-cards.tsx';
import { formatJson, ToolCalls } from './tool-calls.tsx';

export interface AnswerViewProps {
  readonly answer: AnswerNode;
  readonly siblings: readonly ConversationNode[];
  onChoose(node: ConversationNode): void;
  onRetry(answer: AnswerNode): void;
  onRemove(nodeId: string): void;
  onShowRaw(answer: AnswerNode): void;
  /** Undefined where results are there already. */
  readonly onToolResults: ((answer: AnswerNode, results: readonly ToolResult[]) => void) | undefined;
  /** Nothing can be changed: a shared conversation. */
  readonly isReadOnly?: boolean;
}

export const AnswerView = memo(function AnswerView(props: AnswerViewProps) {
  const { answer, onRetry, onToolResults } = props;
  const t = useMessages(playgroundMessages);
  const isStreaming = answer.state === 'streaming';
  const cited = useMemo(
    () => citeSources(answer.text, answer.annotations),
    [answer.text, answer.annotations],
  );
  const isJson = answer.request.response_format?.type.startsWith('json') === true;
  return (
    <article aria-label={t('assistant')} aria-busy={isStreaming} className="group/message min-w-0">
      {answer.text === '' && isStreaming && answer.toolCalls.length === 0 && <Waiting />}
      <div className="min-w-0 text-base">
        {isJson && answer.text !== '' ? (
          <CodeBlock code={isStreaming ? answer.text : formatJson(answer.text)} language="json" />
        ) : (
          <Markdown text={cited.text} isStreaming={isStreaming} citations={cited.sources} />
        )}
      </div>
      {/* Calls of tools are no answer yet. */}
      {isJson && answer.state === 'complete' && answer.toolCalls.length === 0 && (
        <SchemaVerdict answer={answer} />
      )}
      <SourceCards sources={cited.sources} />
      {answer.toolCalls.length > 0 && (
        <ToolCalls
          answer={answer}
          onResults={onToolResults === undefined ? undefined : (results) => onToolResults(answer, results)}
        />
      )}
      {answer.failure !== undefined && (
        <AnswerFailureNote failure={answer.failure} onRetry={() => onRetry(answer)} />
      )}
      {!isStreaming && <AnswerFooter {...props} />}
    </article>
  );
});

function AnswerFooter({
  answer,
  siblings,
  onChoose,
  onRetry,
  onRemove,
  onShowRaw,
  isReadOnly = false,
}: AnswerViewProps) {
  const t = useMessages(playgroundMessages);
  return (
    <footer className="mt-2.5 flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
      <AnswerStats answer={answer} />
      <div className="-mx-1.5 flex items-center">
        <BranchSwitch node={answer} siblings={siblings} onChoose={onChoose} />
        <CopyButton text={answer.text} label={t('copyMarkdown')} />
        <IconButton size="sm" label={t('raw')} onClick={() => onShowRaw(answer)}>
          <Braces size={14} aria-hidden />
        </IconButton>
        {!isReadOnly && (
          <>
            <IconButton size="sm" label={t('retry')} onClick={() => onRetry(answer)}>
              <RefreshCw size={14} aria-hidden />
            </IconButton>
            <IconButton size="sm" label={t('remove')} onClick={() => onRemove(answer.id)}>
              <Trash2 size={14} aria-hidden />
            </IconButton>
          </>
        )}
      </div>
    </footer>
  );
}

function Waiting() {
  const t = useMessages(playgroundMessages);
  return (
    <div role="status" aria-label={t('thinking')} className="flex h-6 items-center gap-1">
      {[0, 150, 300].map((delay) => (
        <span
          key={delay}
          style={{ animationDelay: `${delay}ms` }}
          className="size-1.5 animate-[breathe_1.2s_ease-in-out_infinite] rounded-full bg-control"
        />
      ))}
    </div>
  );
}
