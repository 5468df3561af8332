import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Receipt } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import {
  balanceStateQuery,
  type Transaction,
  type TransactionType,
  transactionsQuery,
  transactionTypes,
} from '../../api/billing.ts';
import { useUser } from '../../api/session.ts';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { FilterSelect } from '../../components/filter-select.tsx';
import { LoadMore } from '../../components/load-more.tsx';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { PagedRows } from '../../components/paged-rows.tsx';
import { Stat } from '../../components/stat.tsx';
import { EmptyState, SkeletonRows } from '../../components/states.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { billingMessages } from './billing-messages.ts';
import { useLedgerColumns } from './ledger-columns.tsx';
import { shortModelName } from './usage-series.ts';

export function BillingPage() {
  const t = useMessages(billingMessages);
  const { usd } = useFormats();
  const user = useUser();
  const state = useQuery(balanceStateQuery).data;
  return (
    <Page title={t('title')} description={t('description')}>
      {state?.lowBalance === true && (
        <Notice tone="warning">
          {t('low')} {user.is_admin ? t('topUpAdmin') : t('topUpMember')}
        </Notice>
      )}
      <div className="grid gap-3 sm:grid-cols-3">
        <Stat
          label={t('balance')}
          value={usd(user.balance_usd)}
          detail={state && t('credits', { count: state.balance })}
        />
        <Stat
          label={t('available')}
          value={usd(user.balance_usd - user.held_usd)}
          detail={user.is_admin ? t('topUpAdmin') : t('topUpMember')}
        />
        <Stat
          label={t('held')}
          value={usd(user.held_usd)}
          detail={user.held_usd > 0 ? t('heldDetail') : undefined}
        />
      </div>
      <Ledger />
    </Page>
  );
}

function Ledger() {
  const t = useMessages(billingMessages);
  const [type, setType] = useState<TransactionType>();
  const ledger = useInfiniteQuery(transactionsQuery({ type }));
  return (
    <Card
      title={t('ledger')}
      isFlush
      actions={
        <FilterSelect
          label={t('type')}
          allLabel={t('allTypes')}
          className="w-44"
          value={type}
          onChange={setType}
          options={transactionTypes.map((value) => ({ value, label: t(value) }))}
        />
      }
    >
      <PagedRows
        list={ledger}
        skeleton={<SkeletonRows count={8} />}
        empty={
          <EmptyState
            icon={<Receipt size={18} aria-hidden />}
            title={t('none')}
            description={t('noneText')}
          />
        }
      >
        {(rows) => <LedgerTable rows={rows} footer={<LoadMore list={ledger} />} />}
      </PagedRows>
    </Card>
  );
}

function LedgerTable({
  rows,
  footer,
}: {
  readonly rows: readonly Transaction[];
  readonly footer: ReactNode;
}) {
  const t = useMessages(billingMessages);
  const columns = useLedgerColumns<Transaction>(
    [
      {
        id: 'model',
        header: t('model'),
        isHiddenOnPhone: true,
        cell: (row) => (row.model === null ? '' : shortModelName(row.model)),
      },
      {
        id: 'reference',
        header: t('reference'),
        isHiddenOnPhone: true,
        cell: (row) => <Reference row={row} />,
      },
    ],
    (row) => row.amount.usd,
  );
  return (
    <DataTable
      label={t('ledger')}
      columns={columns}
      rows={rows}
      rowKey={(row) => `${row.created_at} ${row.type} ${row.reference_id} ${row.amount.usd}`}
      maxHeight="calc(100dvh - 20rem)"
      footer={footer}
    />
  );
}

/** A charge leads to the request that it paid for. */
function Reference({ row }: { readonly row: Transaction }) {
  if (row.reference_id === null) return null;
  if (row.type !== 'MODEL_USAGE' || !row.reference_id.startsWith('chatcmpl-')) {
    return <span className="font-mono text-xs">{row.reference_id}</span>;
  }
  return (
    <Link
      to="/requests/$inferenceId"
      params={{ inferenceId: row.reference_id }}
      className="font-mono text-xs text-accent hover:underline"
    >
      {row.reference_id}
    </Link>
  );
}
