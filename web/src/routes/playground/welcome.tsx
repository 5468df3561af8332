import { useEffect } from 'react';
import type { Model } from '../../api/wire-types.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { LogoMark } from '../../shell/logo.tsx';
import { playgroundMessages } from './playground-messages.ts';

/** Before the first message: which model this is, what really answers, and something to try. */
export function Welcome({
  modelName,
  model,
  onSend,
}: {
  readonly modelName: string;
  readonly model: Model | undefined;
  onSend(text: string): unknown;
}) {
  const t = useMessages(playgroundMessages);
  useEffect(() => {
    // The views of messages, and what renders them: there before the first answer is.
    void import('./thread-column.tsx');
    void import('../../components/markdown/rendered-markdown.tsx');
  }, []);
  const examples = [t('example1'), t('example2'), t('example3'), t('example4')];
  return (
    <div className="flex min-h-0 flex-1 flex-col items-center justify-center overflow-y-auto px-4 py-8 sm:px-6">
      <LogoMark size={36} />
      <h2 className="mt-4 text-center text-xl font-semibold tracking-tight">
        {t('emptyTitle', { model: modelName })}
      </h2>
      <p className="mt-1 max-w-md text-center text-sm text-muted">
        {model !== undefined &&
          `${t('emptyBacking', { weights: model.backing.weights, tokens: model.context_length })} `}
        {t('emptyText')}
      </p>
      <ul
        aria-label={t('suggestions')}
        className="mt-6 grid w-full max-w-2xl grid-cols-1 gap-2 sm:grid-cols-2"
      >
        {examples.map((example) => (
          <li key={example}>
            <button
              type="button"
              onClick={() => onSend(example)}
              className="h-full w-full rounded-lg border border-line bg-surface px-3.5 py-2.5 text-left text-sm text-muted shadow-sm hover:border-line-strong hover:text-text"
            >
              {example}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
