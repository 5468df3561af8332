import { useMutation } from '@tanstack/react-query';
import { Play } from 'lucide-react';
import { request } from '../../api/request.ts';
import { useSession } from '../../api/session.ts';
import type { ChatRequestBody } from '../../api/wire-types.ts';
import { Button } from '../../components/button.tsx';
import { CodeBlock } from '../../components/code-block.tsx';
import { Notice } from '../../components/notice.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { baseUrlOf } from './base-url.ts';
import { CodeTabs } from './code-tabs.tsx';
import { docsMessages } from './docs-messages.ts';
import { useReaderKey } from './reader-key.ts';
import { writeCode } from './write-code.ts';

/** An answer that is there before anybody asks. */
export interface SampleAnswer {
  readonly title: string;
  readonly body: string;
}

interface CodeExampleProps {
  readonly body: ChatRequestBody;
  readonly sample?: SampleAnswer | undefined;
}

/** A request as a program, with the reader's own key and address, and a button that runs it. */
export function CodeExample({ body, sample }: CodeExampleProps) {
  const t = useMessages(docsMessages);
  const session = useSession();
  const apiKey = useReaderKey();
  const baseUrl = baseUrlOf(session?.server.public_url);
  // A stream's chunks say nothing to a reader: what is shown is the same answer in one piece.
  const run = useMutation({
    mutationFn: () =>
      request<object>('/v1/chat/completions', { method: 'POST', body: { ...body, stream: false } }),
  });
  return (
    <div className="flex min-w-0 flex-col gap-2">
      <CodeTabs
        label={t('language')}
        title={`POST ${baseUrl}/chat/completions`}
        write={(language) => writeCode(language, body, { baseUrl, apiKey })}
        aside={
          session?.user && (
            <Button
              size="sm"
              icon={<Play size={13} aria-hidden />}
              isBusy={run.isPending}
              onClick={() => run.mutate()}
            >
              {t('run')}
            </Button>
          )
        }
      />
      {run.error !== null && <Notice tone="danger">{run.error.message}</Notice>}
      {run.data === undefined ? (
        sample !== undefined && (
          <CodeBlock
            language={sample.body.startsWith('{') ? 'json' : 'text'}
            title={sample.title}
            maxHeight="24rem"
            code={sample.body}
          />
        )
      ) : (
        <CodeBlock
          language="json"
          title={t('answer')}
          maxHeight="24rem"
          code={JSON.stringify(run.data, null, 2)}
        />
      )}
    </div>
  );
}
