/** Proves the books: what `perigee ledger verify` runs. It reads, and never repairs. */
import { sql } from 'kysely';
import type { Store } from '../store/store.ts';

export interface LedgerProblem {
  readonly accountId: number;
  /** One sentence with the figures, in nano-dollars. */
  readonly text: string;
}

export interface LedgerReport {
  readonly isSound: boolean;
  readonly accountCount: number;
  readonly transferCount: number;
  readonly problems: readonly LedgerProblem[];
}

/** Every account's balance equals the sum of its entries. All in one statement, so in one state of the books. */
export async function verifyLedger(store: Store): Promise<LedgerReport> {
  // One query sees one snapshot on both databases, so a charge that is booked meanwhile cannot split it.
  const { rows } = await sql<BalanceRow>`
    select accounts.id as account_id, balances.balance_nano_usd, balances.held_nano_usd,
      coalesce(entries.total, 0) as entries_nano_usd, coalesce(entries.transfers, 0) as transfers
    from accounts
    left join balances on balances.account_id = accounts.id
    left join (
      select account_id, sum(amount_nano_usd) as total, count(*) as transfers
      from ledger_entries where side = 'account' group by account_id
    ) as entries on entries.account_id = accounts.id
    order by accounts.id`.execute(store.db);
  const problems = rows.flatMap(findProblems);
  return {
    isSound: problems.length === 0,
    accountCount: rows.length,
    transferCount: rows.reduce((sum, row) => sum + row.transfers, 0),
    problems,
  };
}

interface BalanceRow {
  readonly account_id: number;
  readonly balance_nano_usd: bigint | null;
  readonly held_nano_usd: bigint | null;
  readonly entries_nano_usd: bigint;
  readonly transfers: number;
}

function findProblems(row: BalanceRow): readonly LedgerProblem[] {
  const accountId = row.account_id;
  if (row.balance_nano_usd === null) {
    return [{ accountId, text: `Account ${accountId} has no balance.` }];
  }
  if (row.balance_nano_usd !== row.entries_nano_usd) {
    return [
      {
        accountId,
        text: `The balance of account ${accountId} is ${row.balance_nano_usd}, its entries sum to ${row.entries_nano_usd}.`,
      },
    ];
  }
  return [];
}
