import { usePageTitle } from '../../components/page.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { docsMessages } from './docs-messages.ts';

/**
 * The API reference stands in a frame: its renderer makes its styles by script, which the app's own policy forbids. The
 * frame's page has a policy of its own (`src/http/static.ts`), and still talks to this server alone.
 */
export function ReferencePage() {
  const t = useMessages(docsMessages);
  usePageTitle(t('reference'));
  return (
    <div className="flex h-full flex-col">
      <header className="flex h-13 shrink-0 items-center justify-between border-b border-line px-4">
        <h1 className="text-sm font-medium">{t('reference')}</h1>
        <a href="/openapi.json" className="text-xs text-accent hover:underline">
          {t('openApi')}
        </a>
      </header>
      <iframe title={t('referenceTitle')} src="/app/reference.html" className="min-h-0 w-full flex-1" />
    </div>
  );
}
