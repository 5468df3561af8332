import type { Transaction } from '../../api/billing.ts';
import { Badge } from '../../components/badge.tsx';
import { TimeCell } from '../../components/time-cell.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { billingMessages } from './billing-messages.ts';

interface LedgerKindProps extends Pick<Transaction, 'type' | 'direction'> {
  readonly time: string;
}

/** What a movement of money was for; on a phone also when, because the amount needs the column of the time. */
export function LedgerKind({ type, direction, time }: LedgerKindProps) {
  const t = useMessages(billingMessages);
  return (
    <div className="flex flex-col items-start gap-1">
      <Badge tone={direction === 'TOPUP' ? 'success' : 'neutral'}>{t(type)}</Badge>
      <span className="text-2xs leading-none text-faint sm:hidden">
        <TimeCell time={time} />
      </span>
    </div>
  );
}
