import { cx } from '../../components/cx.ts';
import { useFormats } from '../../formats/use-formats.ts';

interface LedgerAmountProps {
  readonly direction: 'TOPUP' | 'CHARGE';
  readonly usd: number;
}

/** What came in or went out, to the nano-dollar, so that the column adds up. */
export function LedgerAmount({ direction, usd }: LedgerAmountProps) {
  const { usdColumn } = useFormats();
  const isTopUp = direction === 'TOPUP';
  return (
    <span className={cx(isTopUp && 'text-success')}>
      {isTopUp ? '+' : '−'}
      {usdColumn(usd, 9)}
    </span>
  );
}
