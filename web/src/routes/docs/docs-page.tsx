import { Link, type LinkProps } from '@tanstack/react-router';
import { ArrowRightLeft, Box, type LucideIcon, Rocket, ScrollText, TriangleAlert } from 'lucide-react';
import { Page } from '../../components/page.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { docsMessages } from './docs-messages.ts';

type DocsMessage = keyof (typeof docsMessages)['en'];

const pages: readonly {
  readonly to: NonNullable<LinkProps['to']>;
  readonly title: DocsMessage;
  readonly text: DocsMessage;
  readonly icon: LucideIcon;
}[] = [
  { to: '/docs/quickstart', title: 'quickstart', text: 'quickstartText', icon: Rocket },
  { to: '/docs/reference', title: 'reference', text: 'referenceText', icon: ScrollText },
  { to: '/models', title: 'models', text: 'modelsText', icon: Box },
  { to: '/docs/errors', title: 'errors', text: 'errorsText', icon: TriangleAlert },
  { to: '/docs/migrate', title: 'migrate', text: 'migrateText', icon: ArrowRightLeft },
];

export function DocsPage() {
  const t = useMessages(docsMessages);
  return (
    <Page title={t('title')} description={t('text')} width="text">
      <ul className="grid grid-cols-1 gap-3 sm:grid-cols-2">
        {pages.map(({ to, title, text, icon: Icon }) => (
          <li key={to}>
            <Link
              to={to}
              className="flex h-full gap-3 rounded-lg border border-line bg-surface p-4 hover:border-line-strong hover:bg-hover"
            >
              <Icon size={18} aria-hidden className="mt-0.5 shrink-0 text-accent" />
              <span className="min-w-0">
                <span className="block text-base font-medium">{t(title)}</span>
                <span className="mt-0.5 block text-sm text-muted">{t(text)}</span>
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </Page>
  );
}
