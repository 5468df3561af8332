import { useQuery } from '@tanstack/react-query';
import { modelsQuery } from '../../api/models.ts';
import { useSession } from '../../api/session.ts';
import { Markdown } from '../../components/markdown/markdown.tsx';
import { Page } from '../../components/page.tsx';
import { useLanguage, useMessages } from '../../i18n/language-context.tsx';
import { baseUrlOf } from './base-url.ts';
import { docsMessages } from './docs-messages.ts';
import english from './migrate.en.md?raw';
import chinese from './migrate.zh.md?raw';

export function MigratePage() {
  const t = useMessages(docsMessages);
  const { language } = useLanguage();
  const baseUrl = baseUrlOf(useSession()?.server.public_url);
  const weights = useQuery(modelsQuery).data?.[0]?.backing.weights ?? '…';
  const text = (language === 'zh' ? chinese : english)
    .replaceAll('{baseUrl}', baseUrl)
    .replaceAll('{weights}', weights);
  return (
    <Page title={t('migrate')} description={t('migrateText')} width="text">
      <div className="text-base">
        <Markdown text={text} />
      </div>
    </Page>
  );
}
