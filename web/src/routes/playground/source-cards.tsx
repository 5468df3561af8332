import { ExternalLink } from 'lucide-react';
import { useMessages } from '../../i18n/language-context.tsx';
import type { CitedSource } from './cite-sources.ts';
import { playgroundMessages } from './playground-messages.ts';

const isWebAddress = (url: string): boolean => /^https?:\/\//i.test(url);

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host.replace(/^www\./, '') : url);

/** The pages that an answer cites, in the order of its numbers. */
export function SourceCards({ sources }: { readonly sources: readonly CitedSource[] }) {
  const t = useMessages(playgroundMessages);
  if (sources.length === 0) return null;
  return (
    <section aria-label={t('sources')} className="mt-3">
      <p className="mb-1.5 text-xs font-medium text-faint">{t('sources')}</p>
      <ol className="grid grid-cols-1 gap-2 sm:grid-cols-2 xl:grid-cols-3">
        {sources.map((source, index) => (
          <li key={source.url}>
            <a
              href={isWebAddress(source.url) ? source.url : undefined}
              target="_blank"
              rel="noopener noreferrer nofollow"
              className="flex h-full items-start gap-2 rounded-lg border border-line bg-surface px-2.5 py-2 hover:border-line-strong hover:bg-hover"
            >
              <span className="numeric mt-px flex h-4 min-w-4 items-center justify-center rounded-sm bg-accent-soft px-1 text-2xs font-medium text-accent">
                {index + 1}
              </span>
              <span className="min-w-0 flex-1">
                <span className="block truncate text-sm font-medium">{source.title}</span>
                <span className="block truncate text-xs text-faint">{hostOf(source.url)}</span>
              </span>
              {isWebAddress(source.url) && (
                <ExternalLink size={12} aria-hidden className="mt-1 shrink-0 text-faint" />
              )}
            </a>
          </li>
        ))}
      </ol>
    </section>
  );
}
