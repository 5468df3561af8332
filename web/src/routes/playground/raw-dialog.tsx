import { useMemo, useState } from 'react';
import type { ChatChunk } from '../../api/wire-types.ts';
import { CodeBlock } from '../../components/code-block.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Notice } from '../../components/notice.tsx';
import { Tabs } from '../../components/tabs.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import type { AnswerNode } from './conversation.ts';
import { playgroundMessages } from './playground-messages.ts';
import { readTokenChances } from './read-token-chances.ts';
import { TokenChances } from './token-chances.tsx';

/** What was sent and what came back, byte for byte in meaning, and how sure the model was of each token. */
export function RawDialog({
  answer,
  chunks,
  onClose,
}: {
  readonly answer: AnswerNode;
  readonly chunks: readonly ChatChunk[];
  onClose(): void;
}) {
  const t = useMessages(playgroundMessages);
  const [tab, setTab] = useState<'request' | 'response' | 'chances'>('request');
  const tokens = useMemo(() => readTokenChances(chunks, 0), [chunks]);
  const response = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n`).join('\n');
  return (
    <Dialog isOpen onOpenChange={onClose} size="lg" title={t('raw')} description={answer.inferenceId}>
      <Tabs
        label={t('raw')}
        value={tab}
        onChange={setTab}
        items={[
          {
            value: 'request',
            label: t('rawRequest'),
            content: (
              <CodeBlock
                className="mt-3"
                language="json"
                title="POST /v1/chat/completions"
                maxHeight="52vh"
                code={JSON.stringify(answer.request, null, 2)}
              />
            ),
          },
          {
            value: 'response',
            label: t('rawResponse'),
            content:
              chunks.length === 0 ? (
                <div className="mt-3">
                  <Notice tone="info">{t('rawGone')}</Notice>
                </div>
              ) : (
                <CodeBlock
                  className="mt-3"
                  language="text"
                  title="text/event-stream"
                  maxHeight="52vh"
                  code={response}
                />
              ),
          },
          ...(tokens.length === 0
            ? []
            : [
                {
                  value: 'chances' as const,
                  label: t('chances'),
                  content: <TokenChances tokens={tokens} />,
                },
              ]),
        ]}
      />
    </Dialog>
  );
}
