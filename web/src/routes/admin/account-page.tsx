import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { Ellipsis } from 'lucide-react';
import { useState } from 'react';
import {
  type AccountKey,
  type AdminAccount,
  type AdminTransaction,
  accountQuery,
  accountsKey,
  accountTransactionsQuery,
} from '../../api/admin.ts';
import { accountLimitsPath } from '../../api/rate-limits.ts';
import { request } from '../../api/request.ts';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { componentMessages } from '../../components/component-messages.ts';
import { DataTable } from '../../components/data-table.tsx';
import { LoadMore } from '../../components/load-more.tsx';
import { Menu, MenuItem, MenuSeparator } from '../../components/menu.tsx';
import { Page } from '../../components/page.tsx';
import { PagedRows } from '../../components/paged-rows.tsx';
import { Stat } from '../../components/stat.tsx';
import { ErrorState, SkeletonRows } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { useLedgerColumns } from '../dashboard/ledger-columns.tsx';
import { RateLimitDialog } from '../rate-limits/rate-limit-dialog.tsx';
import { rateLimitsMessages } from '../rate-limits/rate-limits-messages.ts';
import { AccountBadges } from './account-list.tsx';
import { accountsMessages } from './accounts-messages.ts';
import { GrantDialog } from './grant-dialog.tsx';
import { LinkDialog } from './link-dialog.tsx';
import { makeResetLink, type ResetLink } from './reset-requests.tsx';

/** One account as an administrator sees it: money, keys, ledger, and what can be done about it. */
export function AccountPage() {
  const t = useMessages(accountsMessages);
  const id = Number(useParams({ from: '/shell/member/admin/admin/accounts/$id' }).id);
  const account = useQuery(accountQuery(id));
  if (account.isError) {
    return (
      <Page title={t('account')}>
        <Card>
          <ErrorState error={account.error} onRetry={() => void account.refetch()} />
        </Card>
      </Page>
    );
  }
  if (account.data === undefined) {
    return (
      <Page title={t('account')}>
        <Card isFlush>
          <SkeletonRows count={8} />
        </Card>
      </Page>
    );
  }
  return <LoadedAccount account={account.data} keys={account.data.keys} />;
}

function LoadedAccount({
  account,
  keys,
}: {
  readonly account: AdminAccount;
  readonly keys: readonly AccountKey[];
}) {
  const t = useMessages(accountsMessages);
  const { usd, count } = useFormats();
  return (
    <Page
      title={account.email}
      description={
        <span className="flex items-center gap-2">
          #{account.id} {account.name} <AccountBadges account={account} />
        </span>
      }
      actions={<AccountActions account={account} />}
    >
      <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        <Stat label={t('balance')} value={usd(account.balance_usd)} />
        <Stat label={t('spentMonth')} value={usd(account.spent_month_usd)} />
        <Stat label={t('spentTotal')} value={usd(account.spent_total_usd)} />
        <Stat label={t('keys')} value={count(account.key_count)} />
      </div>
      <Card title={t('keys')} isFlush>
        <AccountKeys keys={keys} />
      </Card>
      <AccountLedger accountId={account.id} />
    </Page>
  );
}

function AccountActions({ account }: { readonly account: AdminAccount }) {
  const t = useMessages(accountsMessages);
  const tc = useMessages(componentMessages);
  const tr = useMessages(rateLimitsMessages);
  const { dateTime } = useFormats();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [isGranting, setIsGranting] = useState(false);
  const [isLimiting, setIsLimiting] = useState(false);
  const [link, setLink] = useState<ResetLink>();
  const path = `/api/admin/accounts/${account.id}`;
  const outcome = {
    onSuccess: () => showToast(t('changed')),
    onError: (error: Error) => showToast(error.message, 'danger'),
    onSettled: () => client.invalidateQueries({ queryKey: accountsKey }),
  };
  const change = useMutation({
    mutationFn: (body: { readonly disabled?: boolean; readonly is_admin?: boolean }) =>
      request(path, { method: 'PATCH', body }),
    ...outcome,
  });
  const approve = useMutation({
    mutationFn: () => request(`${path}/approve`, { method: 'POST', body: {} }),
    ...outcome,
  });
  const refuse = useMutation({
    mutationFn: () => request(path, { method: 'DELETE' }),
    ...outcome,
    onSuccess: () => navigate({ to: '/admin/accounts' }),
  });
  const makeLink = useMutation({
    mutationFn: () => makeResetLink(account.id),
    onSuccess: setLink,
    onError: outcome.onError,
  });
  const isAwaiting = account.state === 'awaits_approval';
  return (
    <>
      {isAwaiting ? (
        <>
          <Button isBusy={refuse.isPending} onClick={() => refuse.mutate()}>
            {t('refuse')}
          </Button>
          <Button variant="primary" isBusy={approve.isPending} onClick={() => approve.mutate()}>
            {t('approve')}
          </Button>
        </>
      ) : (
        <Button variant="primary" onClick={() => setIsGranting(true)}>
          {t('grant')}
        </Button>
      )}
      <Menu trigger={<Button aria-label={tc('more')} icon={<Ellipsis size={16} aria-hidden />} />}>
        <MenuItem onSelect={() => setIsLimiting(true)}>{tr('open')}</MenuItem>
        <MenuItem onSelect={() => makeLink.mutate()}>{t('resetLink')}</MenuItem>
        <MenuItem onSelect={() => change.mutate({ is_admin: !account.is_admin })}>
          {account.is_admin ? t('unmakeAdmin') : t('makeAdmin')}
        </MenuItem>
        <MenuSeparator />
        <MenuItem
          isDangerous={account.state !== 'disabled'}
          onSelect={() => change.mutate({ disabled: account.state !== 'disabled' })}
        >
          {account.state === 'disabled' ? t('enable') : t('disable')}
        </MenuItem>
      </Menu>
      {isLimiting && (
        <RateLimitDialog
          title={tr('title', { name: account.email })}
          path={accountLimitsPath(account.id)}
          onClose={() => setIsLimiting(false)}
        />
      )}
      {isGranting && <GrantDialog account={account} onClose={() => setIsGranting(false)} />}
      {link !== undefined && (
        <LinkDialog
          title={t('resetLink')}
          text={t('resetLinkText', { when: dateTime(link.expires_at) })}
          url={link.url}
          onClose={() => setLink(undefined)}
        />
      )}
    </>
  );
}

function AccountKeys({ keys }: { readonly keys: readonly AccountKey[] }) {
  const t = useMessages(accountsMessages);
  const { date, relative } = useFormats();
  if (keys.length === 0) return <p className="px-4 py-3 text-sm text-faint">{t('noKeys')}</p>;
  return (
    <DataTable
      label={t('keys')}
      rows={keys}
      rowKey={({ prefix }) => prefix}
      maxHeight="24rem"
      columns={[
        {
          id: 'prefix',
          header: t('prefix'),
          cell: (row) => <span className="font-mono text-xs">{row.prefix}…</span>,
        },
        { id: 'name', header: t('name'), cell: (row) => row.name ?? '' },
        { id: 'kind', header: t('keyKind'), isHiddenOnPhone: true, cell: (row) => t(row.kind) },
        {
          id: 'state',
          header: t('state'),
          cell: (row) => (
            <Badge tone={row.disabled ? 'neutral' : 'success'}>
              {row.disabled ? t('disabled') : t('active')}
            </Badge>
          ),
        },
        {
          id: 'used',
          header: t('lastUsed'),
          isHiddenOnPhone: true,
          cell: (row) => (row.last_used_at === null ? t('never') : relative(row.last_used_at)),
        },
        { id: 'created', header: t('created'), isHiddenOnPhone: true, cell: (row) => date(row.created_at) },
      ]}
    />
  );
}

function AccountLedger({ accountId }: { readonly accountId: number }) {
  const t = useMessages(accountsMessages);
  const ledger = useInfiniteQuery(accountTransactionsQuery(accountId));
  const columns = useLedgerColumns<AdminTransaction>(
    [
      {
        id: 'note',
        header: t('note'),
        isHiddenOnPhone: true,
        cell: (row) => row.note ?? row.reference_id,
      },
      { id: 'by', header: t('bookedBy'), isHiddenOnPhone: true, cell: (row) => row.booked_by ?? '' },
    ],
    (row) => row.amount_usd,
  );
  return (
    <Card title={t('ledger')} isFlush>
      <PagedRows list={ledger} skeleton={<SkeletonRows count={4} />}>
        {(rows) => (
          <DataTable
            label={t('ledger')}
            rows={rows}
            rowKey={({ id }) => String(id)}
            columns={columns}
            footer={<LoadMore list={ledger} />}
          />
        )}
      </PagedRows>
    </Card>
  );
}
