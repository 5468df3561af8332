import { CircleAlert, RotateCw, Unplug } from 'lucide-react';
import { Button } from '../../components/button.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import type { AnswerFailure } from './conversation.ts';
import { playgroundMessages } from './playground-messages.ts';

/** Why an answer did not come, or not to its end, and the way on. */
export function AnswerFailureNote({
  failure,
  onRetry,
}: {
  readonly failure: AnswerFailure;
  onRetry(): void;
}) {
  const t = useMessages(playgroundMessages);
  const { title, text } = describe(failure, t);
  const Icon = failure.code === 'unreachable' || failure.code === 'stream_interrupted' ? Unplug : CircleAlert;
  return (
    <div
      role="alert"
      className="mt-3 flex items-start gap-3 rounded-lg max-sm:flex-wrap border border-line bg-danger-soft p-3"
    >
      <Icon size={16} aria-hidden className="mt-0.5 shrink-0 text-danger" />
      <div className="min-w-0 flex-1 max-sm:basis-4/5">
        <p className="font-medium text-danger">{title}</p>
        <p className="mt-0.5 text-text">{text}</p>
        <p className="mt-1 font-mono text-2xs break-all text-muted">
          {failure.code}
          {failure.requestId !== undefined && ` · ${failure.requestId}`}
        </p>
      </div>
      <Button size="sm" className="max-sm:ml-7" icon={<RotateCw size={13} aria-hidden />} onClick={onRetry}>
        {t('tryAgain')}
      </Button>
    </div>
  );
}

function describe(
  { code, message }: AnswerFailure,
  t: (key: keyof (typeof playgroundMessages)['en']) => string,
) {
  if (code === 'stream_interrupted') return { title: t('interruptedTitle'), text: t('interruptedText') };
  if (code === 'unreachable') return { title: t('unreachableTitle'), text: t('unreachableText') };
  return { title: t('failedTitle'), text: message };
}
