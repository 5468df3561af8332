/**
 * Bookings in the ledger as statement groups. Whoever moves money puts these statements into the group that
 * holds the reason for the movement, so that both are written or neither.
 */
import { type Statement, statement } from '../store/store.ts';
import type { TransferType } from '../store/tables.ts';
import { nanoUsdMax } from './money.ts';

/** Which account, by number or (in the group that creates it, before the number is known) by its owner. */
export type AccountRef = { readonly id: number } | { readonly ownerUserId: string };

export interface TopUp {
  readonly account: AccountRef;
  readonly type: Extract<TransferType, 'PAYMENT' | 'BONUS' | 'REFUND' | 'ADJUSTMENT' | 'INIT'>;
  /** Nano-dollars, above zero. */
  readonly amountNanoUsd: bigint;
  readonly referenceId?: string;
  /** A second booking with the same key is refused as a unique violation. */
  readonly onceKey?: string;
  /** Of a booking by hand: why, and which administrator's account. */
  readonly note?: string | null;
  readonly bookedByAccountId?: number | null;
  /** Milliseconds. */
  readonly createdAt: number;
}

/** Whose money it was: what is given back comes out of what was earned. */
const topUpCounterparts = {
  PAYMENT: 'payments',
  REFUND: 'revenue',
  BONUS: 'grants',
  ADJUSTMENT: 'grants',
  INIT: 'grants',
} as const;

/** `balance_too_large`: the balance would no longer fit the databases' integers. */
export type TopUpRefusal = 'account_not_found' | 'balance_too_large';

/** Money in: the entry and the balance. */
export function bookTopUp(topUp: TopUp): readonly Statement<TopUpRefusal>[] {
  const [column, value] =
    'id' in topUp.account ? ['id', topUp.account.id] : ['owner_user_id', topUp.account.ownerUserId];
  const counterpart = topUpCounterparts[topUp.type];
  return [
    statement(
      `insert into ledger_transfers
         (account_id, counterpart, direction, type, amount_nano_usd, reference_id, once_key, note,
          booked_by_account_id, created_at)
       select id, ?, 'TOPUP', ?, ?, ?, ?, ?, ?, ? from accounts where ${column} = ?`,
      [
        counterpart,
        topUp.type,
        topUp.amountNanoUsd,
        topUp.referenceId ?? null,
        topUp.onceKey ?? null,
        topUp.note ?? null,
        topUp.bookedByAccountId ?? null,
        topUp.createdAt,
        value,
      ],
      { rows: 1, otherwise: 'account_not_found' },
    ),
    statement(
      `update balances set balance_nano_usd = balance_nano_usd + ?
       where account_id = (select id from accounts where ${column} = ?) and balance_nano_usd <= ?`,
      [topUp.amountNanoUsd, value, nanoUsdMax - topUp.amountNanoUsd],
      { rows: 1, otherwise: 'balance_too_large' },
    ),
  ];
}
