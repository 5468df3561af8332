import { useMutation } from '@tanstack/react-query';
import { Search } from 'lucide-react';
import { useState } from 'react';
import { type BackendProbe, testSearch } from '../../api/admin.ts';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { TextField } from '../../components/field.tsx';
import { Page } from '../../components/page.tsx';
import { EmptyState, ErrorState, SkeletonRows } from '../../components/states.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { searchMessages } from './search-messages.ts';

/** Which search backends answer, with what, and how soon. */
export function SearchPage() {
  const t = useMessages(searchMessages);
  const [query, setQuery] = useState('');
  const test = useMutation({ mutationFn: testSearch });
  return (
    <Page title={t('title')} description={t('description')}>
      <form
        className="flex max-w-xl items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          if (query.trim() !== '') test.mutate(query.trim());
        }}
      >
        <div className="flex-1">
          <TextField
            label={t('query')}
            type="search"
            maxLength={400}
            placeholder={t('placeholder')}
            value={query}
            onChange={(event) => setQuery(event.target.value)}
          />
        </div>
        <Button type="submit" variant="primary" className="h-9" isBusy={test.isPending}>
          {t('test')}
        </Button>
      </form>
      {test.isPending ? (
        <Card isFlush>
          <SkeletonRows count={5} />
        </Card>
      ) : test.isError ? (
        <Card>
          <ErrorState error={test.error} onRetry={() => test.mutate(query.trim())} />
        </Card>
      ) : test.data === undefined ? (
        <Card>
          <EmptyState
            icon={<Search size={18} aria-hidden />}
            title={t('emptyTitle')}
            description={t('emptyText')}
          />
        </Card>
      ) : (
        test.data.map((probe) => <ProbeCard key={probe.backend} probe={probe} />)
      )}
    </Page>
  );
}

function ProbeCard({ probe }: { readonly probe: BackendProbe }) {
  const t = useMessages(searchMessages);
  const { duration } = useFormats();
  const time = duration(probe.duration_ms);
  const { failure, results } = probe;
  return (
    <Card
      title={probe.backend}
      description={failure === null ? t('answered', { count: results.length, time }) : t('failed', { time })}
      actions={
        <Badge tone={failure === null ? 'success' : 'danger'}>
          {t(failure === null ? 'ready' : failure.code)}
        </Badge>
      }
    >
      {failure !== null ? (
        <p className="text-sm text-muted">{failure.detail}</p>
      ) : results.length === 0 ? (
        <p className="text-sm text-muted">{t('noResults')}</p>
      ) : (
        <ol className="flex flex-col gap-3">
          {results.map((result) => (
            <li key={result.url} className="min-w-0">
              <p className="truncate text-sm font-medium">{result.title}</p>
              <p className="truncate font-mono text-2xs text-faint">{result.url}</p>
              <p className="line-clamp-2 text-sm text-muted">{result.snippet}</p>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}
