import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Gauge, Plus, Users } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import { type AccountState, type AdminAccount, accountsQuery } from '../../api/admin.ts';
import { defaultLimitsPath } from '../../api/rate-limits.ts';
import { Badge, type Tone } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { TextField } from '../../components/field.tsx';
import { FilterSelect } from '../../components/filter-select.tsx';
import { LoadMore } from '../../components/load-more.tsx';
import { PagedRows } from '../../components/paged-rows.tsx';
import { EmptyState, SkeletonRows } from '../../components/states.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { RateLimitDialog } from '../rate-limits/rate-limit-dialog.tsx';
import { rateLimitsMessages } from '../rate-limits/rate-limits-messages.ts';
import { accountsMessages } from './accounts-messages.ts';
import { CreateAccountDialog } from './create-account-dialog.tsx';

const states = ['active', 'awaits_approval', 'disabled'] as const satisfies readonly AccountState[];

export function AccountList() {
  const t = useMessages(accountsMessages);
  const tr = useMessages(rateLimitsMessages);
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [state, setState] = useState<AccountState>();
  const [isCreating, setIsCreating] = useState(false);
  const [isLimiting, setIsLimiting] = useState(false);
  const search = useDeferredValue(text.trim());
  const accounts = useInfiniteQuery(accountsQuery({ search, state }));
  const columns = useColumns();
  return (
    <div className="flex flex-col gap-3 pt-4">
      <div className="flex flex-wrap gap-2">
        <div className="min-w-48 flex-1 sm:max-w-xs">
          <TextField
            label={t('search')}
            isLabelHidden
            size="sm"
            type="search"
            placeholder={t('search')}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
        <FilterSelect
          label={t('state')}
          allLabel={t('allStates')}
          className="w-40"
          value={state}
          onChange={setState}
          options={states.map((value) => ({ value, label: t(value) }))}
        />
        <Button
          className="ml-auto"
          icon={<Gauge size={14} aria-hidden />}
          onClick={() => setIsLimiting(true)}
        >
          {tr('defaults')}
        </Button>
        <Button variant="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setIsCreating(true)}>
          {t('create')}
        </Button>
      </div>
      <Card isFlush>
        <PagedRows
          list={accounts}
          skeleton={<SkeletonRows count={6} className="h-13" />}
          empty={<EmptyState icon={<Users size={18} aria-hidden />} title={t('none')} />}
        >
          {(rows) => (
            <DataTable
              label={t('accounts')}
              columns={columns}
              rows={rows}
              rowKey={({ id }) => String(id)}
              rowHeight={52}
              onRowOpen={({ id }) => void navigate({ to: '/admin/accounts/$id', params: { id: String(id) } })}
              footer={<LoadMore list={accounts} />}
            />
          )}
        </PagedRows>
      </Card>
      {isLimiting && (
        <RateLimitDialog
          title={tr('defaultsTitle')}
          path={defaultLimitsPath}
          onClose={() => setIsLimiting(false)}
        />
      )}
      {isCreating && <CreateAccountDialog onClose={() => setIsCreating(false)} />}
    </div>
  );
}

const tones = {
  active: 'success',
  awaits_approval: 'warning',
  disabled: 'neutral',
} as const satisfies Record<AccountState, Tone>;

/** An account's state, and whether it administers. */
export function AccountBadges({ account }: { readonly account: AdminAccount }) {
  const t = useMessages(accountsMessages);
  return (
    <span className="flex gap-1 max-sm:in-[td]:flex-col max-sm:in-[td]:items-start">
      <Badge tone={tones[account.state]}>{t(account.state)}</Badge>
      {account.is_admin && <Badge tone="accent">{t('admin')}</Badge>}
    </span>
  );
}

function useColumns(): readonly Column<AdminAccount>[] {
  const t = useMessages(accountsMessages);
  const { usd, count, date, relative } = useFormats();
  return [
    {
      id: 'account',
      header: t('account'),
      cell: (row) => (
        <div className="min-w-0">
          <p className="truncate font-medium">{row.email}</p>
          <p className="truncate text-2xs text-faint">
            #{row.id} {row.name}
          </p>
        </div>
      ),
    },
    { id: 'state', header: t('state'), cell: (row) => <AccountBadges account={row} /> },
    { id: 'balance', header: t('balance'), align: 'right', cell: (row) => usd(row.balance_usd) },
    {
      id: 'month',
      header: t('spentMonth'),
      align: 'right',
      isHiddenOnPhone: true,
      cell: (row) => usd(row.spent_month_usd),
    },
    {
      id: 'total',
      header: t('spentTotal'),
      align: 'right',
      isHiddenOnPhone: true,
      cell: (row) => usd(row.spent_total_usd),
    },
    {
      id: 'keys',
      header: t('keys'),
      align: 'right',
      isHiddenOnPhone: true,
      cell: (row) => count(row.key_count),
    },
    {
      id: 'used',
      header: t('lastUsed'),
      isHiddenOnPhone: true,
      cell: (row) => (row.last_used_at === null ? t('never') : relative(row.last_used_at)),
    },
    { id: 'created', header: t('created'), isHiddenOnPhone: true, cell: (row) => date(row.created_at) },
  ];
}
