import { useState } from 'react';
import { Badge } from '../../components/badge.tsx';
import { TextField } from '../../components/field.tsx';
import { RenderedMarkdown } from '../../components/markdown/rendered-markdown.tsx';
import { Page } from '../../components/page.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { docsMessages } from './docs-messages.ts';
import { type ErrorSection, errorSections } from './error-sections.ts';

export function ErrorsPage() {
  const t = useMessages(docsMessages);
  const [search, setSearch] = useState('');
  const words = search.trim().toLowerCase();
  const shown = errorSections.filter((section) =>
    [section.code, section.type, section.status, section.message, section.when].some((text) =>
      text.toLowerCase().includes(words),
    ),
  );
  return (
    <Page title={t('errors')} description={t('errorsText')} width="text">
      <TextField
        label={t('errorsSearch')}
        isLabelHidden
        placeholder={t('errorsSearch')}
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      {shown.length === 0 && (
        <p className="py-8 text-center text-muted">{t('errorsNone', { text: search })}</p>
      )}
      <ul className="flex flex-col divide-y divide-line rounded-lg border border-line bg-surface">
        {shown.map((section) => (
          <li key={section.code} id={section.code} className="scroll-mt-4 p-4">
            <ErrorEntry section={section} />
          </li>
        ))}
      </ul>
    </Page>
  );
}

function ErrorEntry({ section }: { readonly section: ErrorSection }) {
  const t = useMessages(docsMessages);
  return (
    <article aria-labelledby={`${section.code}-title`}>
      <header className="flex flex-wrap items-center gap-2">
        <h2 id={`${section.code}-title`} className="font-mono text-sm font-medium">
          <a href={`#${section.code}`} className="hover:underline">
            {section.code}
          </a>
        </h2>
        <Badge tone={section.status >= '500' ? 'danger' : 'warning'}>
          <span className="sr-only">{t('status')} </span>
          {section.status}
        </Badge>
        <span className="font-mono text-2xs text-faint">{section.type}</span>
        <span className="ml-auto text-xs text-faint">
          {section.isRetryable ? t('retryYes') : t('retryNo')}
        </span>
      </header>
      <p className="mt-2 border-l-2 border-line-strong pl-3 text-sm text-muted">{section.message}</p>
      <dl className="mt-3 flex flex-col gap-2 text-sm [&_.markdown]:text-sm">
        <div>
          <dt className="text-xs font-medium text-faint">{t('when')}</dt>
          <dd>
            <RenderedMarkdown text={section.when} />
          </dd>
        </div>
        <div>
          <dt className="text-xs font-medium text-faint">{t('whatToDo')}</dt>
          <dd>
            <RenderedMarkdown text={section.whatToDo} />
          </dd>
        </div>
      </dl>
    </article>
  );
}
