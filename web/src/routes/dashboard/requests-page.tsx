import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { ScrollText } from 'lucide-react';
import { useState } from 'react';
import { type RequestFilter, requestsQuery } from '../../api/activity.ts';
import { keysQuery } from '../../api/keys.ts';
import { Card } from '../../components/card.tsx';
import { TextField } from '../../components/field.tsx';
import { LoadMore } from '../../components/load-more.tsx';
import { Page } from '../../components/page.tsx';
import { Select } from '../../components/select.tsx';
import { EmptyState, ErrorState, SkeletonRows } from '../../components/states.tsx';
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
  const rows = log.data?.pages.flatMap(({ data }) => data);
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
        {log.isError && rows === undefined ? (
          <ErrorState error={log.error} onRetry={() => void log.refetch()} />
        ) : rows === undefined ? (
          <SkeletonRows count={12} />
        ) : rows.length === 0 ? (
          <EmptyState
            icon={<ScrollText size={18} aria-hidden />}
            title={t('emptyTitle')}
            description={t('emptyText')}
          />
        ) : (
          <RequestTable
            label={t('table')}
            rows={rows}
            maxHeight="calc(100dvh - 15rem)"
            footer={<LoadMore list={log} />}
          />
        )}
      </Card>
    </Page>
  );
}

const all = 'all';

function Filters({ filter }: { readonly filter: RequestFilter }) {
  const t = useMessages(requestMessages);
  const navigate = useNavigate();
  const keys = useQuery(keysQuery).data ?? [];
  const [id, setId] = useState(filter.id ?? '');
  const apply = (change: Partial<RequestFilter>): void =>
    void navigate({ to: '/requests', search: { ...filter, ...change }, replace: true });
  const optional = <Value extends string>(value: Value | typeof all): Value | undefined =>
    value === all ? undefined : value;
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
      <Select
        label={t('status')}
        isLabelHidden
        size="sm"
        value={filter.status ?? all}
        onChange={(status) => apply({ status: optional(status) })}
        options={[
          { value: all, label: t('allStatuses') },
          { value: 'succeeded', label: t('succeeded') },
          { value: 'failed', label: t('failed') },
        ]}
      />
      <Select
        label={t('origin')}
        isLabelHidden
        size="sm"
        value={filter.origin ?? all}
        onChange={(origin) => apply({ origin: optional(origin) })}
        options={[
          { value: all, label: t('allOrigins') },
          { value: 'api', label: t('api') },
          { value: 'playground', label: t('playground') },
        ]}
      />
      <Select
        label={t('key')}
        isLabelHidden
        size="sm"
        value={filter.keyPrefix ?? all}
        onChange={(keyPrefix) => apply({ keyPrefix: optional(keyPrefix) })}
        options={[
          { value: all, label: t('allKeys') },
          ...keys.map(({ prefix, name }) => ({ value: prefix, label: name ?? prefix, detail: prefix })),
        ]}
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
