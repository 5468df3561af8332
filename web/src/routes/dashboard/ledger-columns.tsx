import type { Transaction } from '../../api/billing.ts';
import type { Column } from '../../components/data-table.tsx';
import { TimeCell } from '../../components/time-cell.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { billingMessages } from './billing-messages.ts';
import { LedgerAmount } from './ledger-amount.tsx';
import { LedgerKind } from './ledger-kind.tsx';

/** The columns of every ledger: when and what for, then those that are its own, then how much. */
export function useLedgerColumns<Row extends Pick<Transaction, 'created_at' | 'type' | 'direction'>>(
  own: readonly Column<Row>[],
  usdOf: (row: Row) => number,
): readonly Column<Row>[] {
  const t = useMessages(billingMessages);
  return [
    {
      id: 'time',
      header: t('time'),
      width: '12rem',
      isHiddenOnPhone: true,
      cell: (row) => <TimeCell time={row.created_at} />,
    },
    { id: 'type', header: t('type'), cell: (row) => <LedgerKind {...row} time={row.created_at} /> },
    ...own,
    {
      id: 'amount',
      header: t('amount'),
      align: 'right',
      cell: (row) => <LedgerAmount direction={row.direction} usd={usdOf(row)} />,
    },
  ];
}
