/** An account's ledger as an administrator reads it: with who booked what by hand, and why. */
import type { Store } from '../store/store.ts';
import type { TransferType } from '../store/tables.ts';

export interface LedgerLine {
  readonly id: number;
  readonly direction: 'TOPUP' | 'CHARGE';
  readonly type: TransferType;
  /** Above zero. */
  readonly amountNanoUsd: bigint;
  readonly modelId: string | null;
  readonly referenceId: string | null;
  readonly note: string | null;
  readonly bookedByAccountId: number | null;
  readonly createdAt: number;
}

/** Newest first, `limit` of them before `beforeId`. */
export async function readLedgerLines(
  store: Store,
  accountId: number,
  page: { readonly limit: number; readonly beforeId: number | undefined },
): Promise<readonly LedgerLine[]> {
  let query = store.db.selectFrom('ledger_transfers').selectAll().where('account_id', '=', accountId);
  if (page.beforeId !== undefined) query = query.where('id', '<', page.beforeId);
  const rows = await query.orderBy('id', 'desc').limit(page.limit).execute();
  return rows.map((row) => ({
    id: row.id,
    direction: row.direction,
    type: row.type,
    amountNanoUsd: row.amount_nano_usd,
    modelId: row.model_id,
    referenceId: row.reference_id,
    note: row.note,
    bookedByAccountId: row.booked_by_account_id,
    createdAt: row.created_at,
  }));
}
