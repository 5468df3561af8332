import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { KeyRound } from 'lucide-react';
import { lazy, type ReactNode, Suspense } from 'react';
import { modelsQuery } from '../../api/models.ts';
import { request } from '../../api/request.ts';
import { useSession } from '../../api/session.ts';
import type { ChatRequestBody } from '../../api/wire-types.ts';
import { Button, buttonClass } from '../../components/button.tsx';
import { CodeBlock } from '../../components/code-block.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { TextField } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { Skeleton } from '../../components/states.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { docsMessages } from './docs-messages.ts';
import { exampleRequest } from './example-requests.ts';
import { setReaderKey, useReaderKey } from './reader-key.ts';

const CodeExample = lazy(async () => ({ default: (await import('./code-example.tsx')).CodeExample }));

/** Shown until the catalogue has come, and when it cannot: the name that this server always has. */
const modelDefault = 'moonshot/kimi-k2-turbo-preview';

export function QuickstartPage() {
  const t = useMessages(docsMessages);
  const model = useQuery(modelsQuery).data?.[0]?.id ?? modelDefault;
  return (
    <Page title={t('quickstart')} description={t('quickstartText')} width="text">
      <ol className="flex flex-col gap-9">
        <Step number={1} title={t('step1')} text={t('step1Text')}>
          <KeyPicker />
        </Step>
        <Step number={2} title={t('step2')} text={t('step2Text')}>
          <CodeBlock
            language="bash"
            code={'pip install openai     # Python\nnpm install openai     # JavaScript'}
          />
        </Step>
        <Step number={3} title={t('step3')} text={t('step3Text')}>
          <Example body={exampleRequest('chat', model)} />
        </Step>
        <Step number={4} title={t('step4')} text={t('step4Text')}>
          <Example body={exampleRequest('stream', model)} />
        </Step>
        <Step number={5} title={t('step5')} text={t('step5Text')}>
          <Example body={exampleRequest('schema', model)} />
        </Step>
        <Step number={6} title={t('step6')} text={t('step6Text')}>
          <Example body={exampleRequest('tools', model)} />
        </Step>
        <Step number={7} title={t('next')} text={t('nextText')}>
          <Link to="/playground" className={buttonClass()}>
            {t('openPlayground')}
          </Link>
        </Step>
      </ol>
    </Page>
  );
}

function Step({
  number,
  title,
  text,
  children,
}: {
  readonly number: number;
  readonly title: string;
  readonly text: string;
  readonly children: ReactNode;
}) {
  return (
    <li className="flex min-w-0 gap-4">
      <span
        aria-hidden
        className="numeric mt-0.5 flex size-6 shrink-0 items-center justify-center rounded-full border border-line-strong text-xs font-medium text-muted max-sm:hidden"
      >
        {number}
      </span>
      <div className="min-w-0 flex-1">
        <h2 className="text-lg font-semibold">{title}</h2>
        <p className="mt-0.5 mb-3 text-sm text-muted">{text}</p>
        {children}
      </div>
    </li>
  );
}

/** The key that the examples show: pasted, or made here and now. */
function KeyPicker() {
  const t = useMessages(docsMessages);
  const key = useReaderKey();
  const isSignedIn = useSession()?.user != null;
  const make = useMutation({
    mutationFn: () =>
      request<{ data: { key: string } }>('/v1/keys', { method: 'POST', body: { name: t('keyName') } }),
    onSuccess: ({ data }) => setReaderKey(data.key),
  });
  return (
    <div className="flex flex-col gap-3">
      {make.isSuccess && <Notice tone="success">{t('keyMade')}</Notice>}
      {make.error !== null && <Notice tone="danger">{make.error.message}</Notice>}
      <div className="flex items-end gap-2">
        <div className="min-w-0 flex-1">
          <TextField
            label={t('yourKey')}
            hint={isSignedIn ? t('yourKeyHint') : t('signInForKey')}
            autoComplete="off"
            spellCheck={false}
            className="font-mono text-xs"
            value={key ?? ''}
            onChange={(event) => setReaderKey(event.target.value.trim())}
          />
        </div>
        {key !== undefined && (
          <span className="mb-[22px]">
            <CopyButton text={key} size="md" />
          </span>
        )}
      </div>
      {isSignedIn && !make.isSuccess && (
        <Button
          className="self-start"
          icon={<KeyRound size={14} aria-hidden />}
          isBusy={make.isPending}
          onClick={() => make.mutate()}
        >
          {t('makeKey')}
        </Button>
      )}
    </div>
  );
}

/** As high as a short example, so that the page does not jump when it comes. */
function Example({ body }: { readonly body: ChatRequestBody }) {
  return (
    <Suspense fallback={<Skeleton className="h-96 w-full" />}>
      <CodeExample body={body} />
    </Suspense>
  );
}
