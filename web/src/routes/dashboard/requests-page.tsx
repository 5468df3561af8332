import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { ScrollText } from 'lucide-react';
import { useState } from 'react';
import { type RequestFilter, requestsQuery } from '../../api/activity.ts';
import { keysQuery } from '../../api/keys.ts';
import { Card } from '../../components/card.tsx';
import { TextField } from '../../components/field.tsx';
import { FilterSelect } from '../../components/filter-select.tsx';
import { LoadMore } from '../../components/load-more.tsx';
import { Page } from '../../components/page.tsx';
import { PagedRows } from '../../components/paged-rows.tsx';
import { Select } from '../../components/select.tsx';
import { EmptyState, SkeletonRows } from '../../components/states.tsx';
import { Switch } from '../../components/switch.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { requestMessages } from './request-messages.ts';
import { RequestTable } from './request-table.tsx';

const liveMs = 2_000;

/** The log. Its filters are in the address, so that a view can be sent to somebody. */
export function RequestsPage() {
  const t = useMessages(requestMessages);
  const filter = useSearch({ from: '/shell/member/requests' });
  const [isLive, setIsLive] = useState(false);
  const log = useInfiniteQuery({
    ...requestsQuery(filter),
    refetchInterval: isLive ? liveMs : false,
  });
  return (
    <Page
      title={t('title')}
      description={t('description')}
      actions={
        <div title={t('liveHint')}>
          <Switch label={t('live')} checked={isLive} onChange={setIsLive} />
        </div>
      }
    >
      <Filters filter={filter} />
      <Card isFlush>
        <PagedRows
          list={log}
          skeleton={<SkeletonRows count={12} />}
          empty={
            <EmptyState
              icon={<ScrollText size={18} aria-hidden />}
              title={t('emptyTitle')}
              description={t('emptyText')}
            />
          }
        >
          {(rows) => (
            <RequestTable
              label={t('table')}
              rows={rows}
              maxHeight="calc(100dvh - 15rem)"
              footer={<LoadMore list={log} />}
            />
          )}
        </PagedRows>
      </Card>
    </Page>
  );
}

function Filters({ filter }: { readonly filter: RequestFilter }) {
  const t = useMessages(requestMessages);
  const navigate = useNavigate();
  const keys = useQuery(keysQuery).data ?? [];
  const [id, setId] = useState(filter.id ?? '');
  const apply = (change: Partial<RequestFilter>): void =>
    void navigate({ to: '/requests', search: { ...filter, ...change }, replace: true });
  return (
    <div className="grid grid-cols-2 gap-2 md:grid-cols-[repeat(4,minmax(0,10rem))_minmax(0,1fr)]">
      <Select
        label={t('period')}
        isLabelHidden
        size="sm"
        value={filter.period}
        onChange={(period) => apply({ period })}
        options={[
          { value: '1h', label: t('period1h') },
          { value: '24h', label: t('period24h') },
          { value: '7d', label: t('period7d') },
          { value: '30d', label: t('period30d') },
        ]}
      />
      <FilterSelect
        label={t('status')}
        allLabel={t('allStatuses')}
        value={filter.status}
        onChange={(status) => apply({ status })}
        options={[
          { value: 'succeeded', label: t('succeeded') },
          { value: 'failed', label: t('failed') },
        ]}
      />
      <FilterSelect
        label={t('origin')}
        allLabel={t('allOrigins')}
        value={filter.origin}
        onChange={(origin) => apply({ origin })}
        options={[
          { value: 'api', label: t('api') },
          { value: 'playground', label: t('playground') },
        ]}
      />
      <FilterSelect
        label={t('key')}
        allLabel={t('allKeys')}
        value={filter.keyPrefix}
        onChange={(keyPrefix) => apply({ keyPrefix })}
        options={keys.map(({ prefix, name }) => ({ value: prefix, label: name ?? prefix, detail: prefix }))}
      />
      <form
        className="col-span-2 md:col-span-1"
        onSubmit={(event) => {
          event.preventDefault();
          apply({ id: id.trim() === '' ? undefined : id.trim() });
        }}
      >
        <TextField
          label={t('find')}
          isLabelHidden
          size="sm"
          type="search"
          placeholder={t('find')}
          value={id}
          onChange={(event) => setId(event.target.value)}
        />
      </form>
    </div>
  );
}
