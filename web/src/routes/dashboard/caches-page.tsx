import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Clock, DatabaseZap, Trash2 } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import {
  type CachePage,
  type ContextCache,
  cachesKey,
  cachesQuery,
  deleteCache,
  extendCache,
  storagePricesQuery,
} from '../../api/caches.ts';
import { useRefreshSession } from '../../api/session.ts';
import { Badge, type Tone } from '../../components/badge.tsx';
import { Card } from '../../components/card.tsx';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { LoadMore } from '../../components/load-more.tsx';
import { MenuItem, MenuSeparator } from '../../components/menu.tsx';
import { Page } from '../../components/page.tsx';
import { PagedRows } from '../../components/paged-rows.tsx';
import { RowMenu } from '../../components/row-menu.tsx';
import { Stat } from '../../components/stat.tsx';
import { EmptyState, SkeletonRows } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { cachesMessages } from './caches-messages.ts';
import { Countdown } from './countdown.tsx';

const tones = {
  pending: 'info',
  ready: 'success',
  error: 'danger',
  inactive: 'neutral',
} as const satisfies Record<ContextCache['status'], Tone>;
const hourSeconds = 3_600;

/** US dollars an hour; one that has ended costs nothing. */
const costPerHour = (cache: ContextCache, prices: ReadonlyMap<string, number> | undefined): number =>
  cache.status === 'ready' ? cache.tokens * (prices?.get(cache.model) ?? 0) : 0;

export function CachesPage() {
  const t = useMessages(cachesMessages);
  const caches = useInfiniteQuery(cachesQuery);
  const prices = useQuery(storagePricesQuery).data;
  const refreshSession = useRefreshSession();
  const [doomed, setDoomed] = useState<ContextCache>();
  const rows = caches.data?.pages.flatMap(({ data }) => data);
  return (
    <Page title={t('title')} description={t('description')}>
      <Savings pages={caches.data?.pages} rows={rows} prices={prices} />
      <Card isFlush>
        <PagedRows
          list={caches}
          skeleton={<SkeletonRows count={3} />}
          empty={
            <EmptyState
              icon={<DatabaseZap size={18} aria-hidden />}
              title={t('emptyTitle')}
              description={t('emptyText')}
            />
          }
        >
          {(shown) => (
            <CacheTable
              rows={shown}
              prices={prices}
              onDelete={setDoomed}
              footer={<LoadMore list={caches} />}
            />
          )}
        </PagedRows>
      </Card>
      {doomed !== undefined && (
        <ConfirmDialog
          title={t('deleteTitle', { name: doomed.name ?? doomed.id })}
          description={t('deleteText')}
          action={t('deleteAction')}
          run={async () => {
            await deleteCache(doomed.id);
            // Its storage is settled: the balance in the side bar is another.
            await refreshSession();
          }}
          done={t('deleted')}
          changes={cachesKey}
          onClose={() => setDoomed(undefined)}
        />
      )}
    </Page>
  );
}

interface SavingsProps {
  readonly pages: readonly CachePage[] | undefined;
  readonly rows: readonly ContextCache[] | undefined;
  readonly prices: ReadonlyMap<string, number> | undefined;
}

function Savings({ pages, rows, prices }: SavingsProps) {
  const t = useMessages(cachesMessages);
  const { percent, compact, count, usd } = useFormats();
  const savings = pages?.[0]?.savings;
  const hourly = rows?.reduce((sum, cache) => sum + costPerHour(cache, prices), 0);
  return (
    <div className="grid gap-3 sm:grid-cols-3">
      <Stat
        label={t('hitRatio')}
        value={savings && percent(savings.hit_ratio)}
        detail={
          savings &&
          t('hitRatioDetail', {
            cached: compact(savings.cached_tokens),
            all: compact(savings.prompt_tokens),
          })
        }
      />
      <Stat label={t('hits')} value={savings && count(savings.cache_hits)} />
      <Stat
        label={t('storage')}
        value={hourly === undefined ? undefined : t('storageValue', { amount: usd(hourly) })}
      />
    </div>
  );
}

interface CacheTableProps {
  readonly rows: readonly ContextCache[];
  readonly prices: ReadonlyMap<string, number> | undefined;
  readonly footer: ReactNode;
  onDelete(cache: ContextCache): void;
}

function CacheTable({ rows, prices, footer, onDelete }: CacheTableProps) {
  const t = useMessages(cachesMessages);
  const { count, usd } = useFormats();
  return (
    <DataTable
      label={t('table')}
      rows={rows}
      rowKey={({ id }) => id}
      rowHeight={52}
      footer={footer}
      columns={[
        {
          id: 'name',
          header: t('name'),
          cell: (cache) => (
            <div className="min-w-0">
              <p className="truncate font-medium">{cache.name ?? '–'}</p>
              <p className="truncate font-mono text-2xs text-faint">{cache.id}</p>
            </div>
          ),
        },
        {
          id: 'status',
          header: t('status'),
          cell: (cache) => (
            <span title={cache.error?.message}>
              <Badge tone={tones[cache.status]}>{t(cache.status)}</Badge>
            </span>
          ),
        },
        { id: 'tokens', header: t('tokens'), align: 'right', cell: (cache) => count(cache.tokens) },
        { id: 'backing', header: t('backing'), isHiddenOnPhone: true, cell: (cache) => t(cache.backing) },
        {
          id: 'expires',
          header: t('expires'),
          width: '9rem',
          cell: (cache) => <Countdown toMs={cache.expired_at * 1_000} />,
        },
        {
          id: 'cost',
          header: t('costPerHour'),
          align: 'right',
          isHiddenOnPhone: true,
          cell: (cache) => usd(costPerHour(cache, prices)),
        },
        {
          id: 'actions',
          header: '',
          width: '3rem',
          cell: (cache) => <CacheMenu cache={cache} onDelete={() => onDelete(cache)} />,
        },
      ]}
    />
  );
}

function CacheMenu({ cache, onDelete }: { readonly cache: ContextCache; onDelete(): void }) {
  const t = useMessages(cachesMessages);
  const { dateTime } = useFormats();
  const client = useQueryClient();
  const extend = useMutation({
    mutationFn: () => extendCache(cache.id, hourSeconds),
    onSuccess: () => showToast(t('extended', { when: dateTime(Date.now() + hourSeconds * 1_000) })),
    onError: (error) => showToast(error.message, 'danger'),
    onSettled: () => client.invalidateQueries({ queryKey: cachesKey }),
  });
  return (
    <RowMenu label={t('actions', { name: cache.name ?? cache.id })}>
      <MenuItem icon={<Clock size={14} aria-hidden />} onSelect={() => extend.mutate()}>
        {t('extend')}
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={<Trash2 size={14} aria-hidden />} isDangerous onSelect={onDelete}>
        {t('delete')}
      </MenuItem>
    </RowMenu>
  );
}
