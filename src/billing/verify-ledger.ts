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
  readonly holdCount: number;
  /** At most 1,000 of each kind. */
  readonly problems: readonly LedgerProblem[];
}

interface ProblemRow {
  readonly account_id: number;
  readonly kind: ProblemKind;
  /** What it is about: an inference id, a key's prefix, or nothing. */
  readonly subject: string;
  readonly found_nano_usd: bigint;
  readonly expected_nano_usd: bigint;
}

type ProblemKind =
  | 'balance'
  | 'held'
  | 'key-held'
  | 'charge-missing'
  | 'resource-charge-missing'
  | 'charge-without-usage'
  | 'rollup';

const sentences: Readonly<Record<ProblemKind, (row: ProblemRow) => string>> = {
  balance: (row) =>
    `The balance of account ${row.account_id} is ${row.found_nano_usd}, its entries sum to ${row.expected_nano_usd}.`,
  held: (row) =>
    `Account ${row.account_id} has ${row.found_nano_usd} held, its open holds sum to ${row.expected_nano_usd}.`,
  'key-held': (row) =>
    `Key ${row.subject} has ${row.found_nano_usd} held, its open holds sum to ${row.expected_nano_usd}.`,
  'charge-missing': (row) =>
    `Inference ${row.subject} cost ${row.expected_nano_usd}, its charges sum to ${row.found_nano_usd}.`,
  'resource-charge-missing': (row) =>
    `Resource charge ${row.subject} is ${row.expected_nano_usd}, its transactions sum to ${row.found_nano_usd}.`,
  'charge-without-usage': (row) =>
    `The charge of ${row.found_nano_usd} for ${row.subject} belongs to no request and no resource.`,
  rollup: (row) =>
    `The usage sums of key ${row.subject} say ${row.found_nano_usd}, its requests and resources cost ${row.expected_nano_usd}.`,
};

/**
 * Every balance equals its entries, everything held has its hold, every request and every resource with a cost has
 * exactly that charge, every charge has one of them, and the usage sums add up. Right beside a running server as well: each
 * statement sees one state of the database.
 */
export async function verifyLedger(store: Store): Promise<LedgerReport> {
  // One statement, so one snapshot: a charge that is booked meanwhile cannot be seen by half.
  const { rows } = await sql<ProblemRow>`
    select * from (${balanceProblems}) as balance_problems
    union all select * from (${heldProblems}) as held_problems
    union all select * from (${keyHeldProblems}) as key_held_problems
    union all select * from (${missingCharges}) as missing_charges
    union all select * from (${missingResourceCharges}) as missing_resource_charges
    union all select * from (${strayCharges}) as stray_charges
    union all select * from (${rollupProblems}) as rollup_problems`.execute(store.db);
  const counts = await sql<{ accounts: number; transfers: number; holds: number }>`
    select (select count(*) from accounts) as accounts, (select count(*) from ledger_transfers) as transfers,
      (select count(*) from holds) + (select count(*) from resource_holds) as holds`.execute(store.db);
  return {
    isSound: rows.length === 0,
    accountCount: counts.rows[0]?.accounts ?? 0,
    transferCount: counts.rows[0]?.transfers ?? 0,
    holdCount: counts.rows[0]?.holds ?? 0,
    problems: rows.map((row) => ({ accountId: row.account_id, text: sentences[row.kind](row) })),
  };
}

const balanceProblems = sql`
  select accounts.id as account_id, 'balance' as kind, '' as subject,
    coalesce(balances.balance_nano_usd, -1) as found_nano_usd, coalesce(entries.total, 0) as expected_nano_usd
  from accounts
  left join balances on balances.account_id = accounts.id
  left join (select account_id, sum(amount_nano_usd) as total from ledger_entries where side = 'account'
    group by account_id) as entries on entries.account_id = accounts.id
  where coalesce(balances.balance_nano_usd, -1) <> coalesce(entries.total, 0) limit 1000`;

const openHolds = sql`select account_id, key_id, amount_nano_usd from holds
    union all select account_id, key_id, amount_nano_usd from resource_holds`;

const heldProblems = sql`
  select balances.account_id, 'held' as kind, '' as subject, balances.held_nano_usd, coalesce(open_holds.total, 0)
  from balances
  left join (select account_id, sum(amount_nano_usd) as total from (${openHolds}) as each_hold
    group by account_id) as open_holds
    on open_holds.account_id = balances.account_id
  where balances.held_nano_usd <> coalesce(open_holds.total, 0) limit 1000`;

const keyHeldProblems = sql`
  select api_keys.account_id, 'key-held' as kind, api_keys.prefix, api_keys.window_held_nano_usd,
    coalesce(open_holds.total, 0)
  from api_keys
  left join (select key_id, sum(amount_nano_usd) as total from (${openHolds}) as each_hold group by key_id) as open_holds
    on open_holds.key_id = api_keys.id
  where api_keys.window_held_nano_usd <> coalesce(open_holds.total, 0) limit 1000`;

const missingCharges = sql`
  select requests.account_id, 'charge-missing' as kind, requests.inference_id, coalesce(charges.total, 0),
    requests.cost_nano_usd
  from usage_requests as requests
  left join (select reference_id, account_id, sum(amount_nano_usd) as total, count(*) as bookings
    from ledger_transfers where type = 'MODEL_USAGE' group by reference_id, account_id) as charges
    on charges.reference_id = requests.inference_id and charges.account_id = requests.account_id
  where requests.cost_nano_usd <> coalesce(charges.total, 0) or coalesce(charges.bookings, 1) <> 1 limit 1000`;

const missingResourceCharges = sql`
  select charges.account_id, 'resource-charge-missing' as kind, charges.once_key,
    coalesce(transfers.amount_nano_usd, 0), charges.cost_nano_usd
  from resource_charges as charges
  left join ledger_transfers as transfers on transfers.once_key = 'resource:' || charges.once_key
    and transfers.account_id = charges.account_id and transfers.reference_id = charges.resource_id
  where charges.cost_nano_usd <> coalesce(transfers.amount_nano_usd, 0) limit 1000`;

// Where a resource's own once key begins, from 1. Cut out first, because only a bare column is looked up in its index.
const resourceKeyStart = sql.lit('resource:'.length + 1);

const strayCharges = sql`
  select transfers.account_id, 'charge-without-usage' as kind, coalesce(transfers.reference_id, '?'),
    transfers.amount_nano_usd, 0
  from ledger_transfers as transfers
  left join usage_requests as requests on requests.inference_id = transfers.reference_id
  left join resource_charges as charges on charges.once_key = substr(transfers.once_key, ${resourceKeyStart})
    and transfers.once_key = 'resource:' || charges.once_key
  where transfers.type = 'MODEL_USAGE' and requests.inference_id is null and charges.once_key is null limit 1000`;

const rollupProblems = sql`
  select api_keys.account_id, 'rollup' as kind, api_keys.prefix, coalesce(sums.total, 0), coalesce(requests.total, 0)
  from api_keys
  left join (select key_id, sum(cost_nano_usd) as total from usage_rollups group by key_id) as sums
    on sums.key_id = api_keys.id
  left join (select key_id, sum(cost_nano_usd) as total from (
      select key_id, cost_nano_usd from usage_requests union all select key_id, cost_nano_usd from resource_charges
    ) as each_cost group by key_id) as requests
    on requests.key_id = api_keys.id
  where coalesce(sums.total, 0) <> coalesce(requests.total, 0) limit 1000`;
