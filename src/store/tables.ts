/**
 * The tables as TypeScript sees them. Portable subset: whole numbers for ids, counts, flags (0/1) and times
 * (milliseconds since 1970, UTC), bigint for money (`…_nano_usd`), text for JSON. The `auth_*` tables are
 * better-auth's and follow its own types; only `accounts/` touches them.
 */
import type { ColumnType, Generated } from 'kysely';

/** Nano-dollars. Always a bigint, on both databases. */
type Money = ColumnType<bigint, bigint, bigint>;

/** Set once, never changed. */
type Fixed<T> = ColumnType<T, T, never>;

/** Named counters that replicas and commands watch, and marks of what may happen only once. */
interface StoreMarksTable {
  name: Fixed<string>;
  value: number;
}

/** An account owns keys and a balance; its id is the `user_id` on the wire. */
interface AccountsTable {
  id: Generated<number>;
  /** The person behind it, in `auth_users`. */
  owner_user_id: Fixed<string>;
  is_admin: number;
  disabled_at: number | null;
  created_at: Fixed<number>;
}

export type KeyKind = 'regular' | 'management' | 'playground';
export type LimitRetention = 'no_reset' | 'day' | 'week' | 'month';

interface ApiKeysTable {
  id: Generated<number>;
  account_id: Fixed<number>;
  kind: Fixed<KeyKind>;
  /** First 8 characters of the secret; unique for ever, so that a prefix always names one key. */
  prefix: Fixed<string>;
  /** SHA-256 of the secret, hexadecimal. The secret itself is stored nowhere. */
  secret_hash: Fixed<string>;
  name: string | null;
  /** JSON list of strings; null = everything. */
  scopes: string | null;
  limit_retention: LimitRetention | null;
  limit_threshold_nano_usd: ColumnType<bigint | null, bigint | null, bigint | null>;
  is_disabled: number;
  expires_at: number | null;
  last_used_at: number | null;
  /** A deleted key is disabled as well, for ever; its usage stays. */
  deleted_at: Generated<number | null>;
  created_at: Fixed<number>;
  updated_at: number;
  /** Start of the limit's period that `window_spent_nano_usd` belongs to; an older one counts as spent nothing. */
  window_started_at: Generated<number>;
  window_spent_nano_usd: ColumnType<bigint, never, bigint>;
  /** Reserved by this key's running turns, whatever the period. */
  window_held_nano_usd: ColumnType<bigint, never, bigint>;
}

/** The running sum of an account's ledger, kept in the same transaction as each entry. */
interface BalancesTable {
  account_id: Fixed<number>;
  balance_nano_usd: Money;
  /** Reserved by turns that are running; never more than the balance. */
  held_nano_usd: Money;
}

export type TransferType =
  | 'PAYMENT'
  | 'BONUS'
  | 'REFUND'
  | 'ADJUSTMENT'
  | 'MODEL_USAGE'
  | 'CREDITS_EXPIRED'
  | 'INIT';

/**
 * The ledger: one row moves an amount between an account and a counterpart, so each row is both entries of a
 * double-entry booking and the books balance by construction (the view `ledger_entries` shows them apart).
 * Append-only: triggers refuse updates and deletes.
 */
interface LedgerTransfersTable {
  id: Generated<number>;
  account_id: Fixed<number>;
  /** Our own side. It has no stored balance: one row that every request changes would serialise all replicas. */
  counterpart: Fixed<'grants' | 'payments' | 'revenue' | 'expired'>;
  /** TOPUP: counterpart → account; CHARGE: account → counterpart. */
  direction: Fixed<'TOPUP' | 'CHARGE'>;
  type: Fixed<TransferType>;
  /** Above zero. */
  amount_nano_usd: ColumnType<bigint, bigint, never>;
  model_id: Fixed<string | null>;
  /** MODEL_USAGE: the inference id (or the cache id); PAYMENT: the payment's id. */
  reference_id: Fixed<string | null>;
  /** Refuses a second booking of the same event (`init:7`, `payment:…`); null where another table's key does. */
  once_key: Fixed<string | null>;
  created_at: Fixed<number>;
}

interface LedgerEntriesView {
  transfer_id: Fixed<number>;
  account_id: Fixed<number>;
  /** `account`, or the counterpart's name. */
  side: Fixed<string>;
  /** Signed: what this side gained. */
  amount_nano_usd: ColumnType<bigint, never, never>;
  created_at: Fixed<number>;
}

/** A model's prices; a change is a new row, so a charge's price can always be named. Money per million tokens. */
interface PricesTable {
  id: Generated<number>;
  model_id: Fixed<string>;
  /** Counts from 1 per model; the highest holds. */
  version: Fixed<number>;
  input_nano_usd: Fixed<bigint>;
  cached_input_nano_usd: Fixed<bigint>;
  output_nano_usd: Fixed<bigint>;
  created_at: Fixed<number>;
}

/** A server process that may have turns running; its holds are void when its lease has ended. */
interface ServerLeasesTable {
  server_id: Fixed<string>;
  expires_at: number;
}

/** Money reserved by a running turn; the row goes when the turn ends. */
interface HoldsTable {
  inference_id: Fixed<string>;
  server_id: Fixed<string>;
  account_id: Fixed<number>;
  key_id: Fixed<number>;
  model_id: Fixed<string>;
  amount_nano_usd: Fixed<bigint>;
  created_at: Fixed<number>;
}

/** One row per inference, failed ones too: the log, and what makes a second settlement impossible. */
interface UsageRequestsTable {
  inference_id: Fixed<string>;
  account_id: Fixed<number>;
  key_id: Fixed<number>;
  model_id: Fixed<string>;
  /** Null: the model had no price, so the turn was free. */
  price_id: Fixed<number | null>;
  origin: Fixed<'api' | 'playground'>;
  status: Fixed<'succeeded' | 'failed'>;
  /** Of a failed turn, from the catalogue of errors. */
  error_code: Fixed<string | null>;
  is_client_left: Fixed<number>;
  input_tokens: Fixed<number>;
  cached_tokens: Fixed<number>;
  output_tokens: Fixed<number>;
  usage_source: Fixed<string | null>;
  cost_nano_usd: Fixed<bigint>;
  client_request_id: Fixed<string | null>;
  time_to_first_token_ms: Fixed<number | null>;
  duration_ms: Fixed<number>;
  /** When the turn began. */
  created_at: Fixed<number>;
}

/** Sums per key, model and quarter of an hour (UTC), written with each usage row; every zone's days are made of them. */
interface UsageRollupsTable {
  key_id: Fixed<number>;
  model_id: Fixed<string>;
  bucket_started_at: Fixed<number>;
  account_id: Fixed<number>;
  input_tokens: number;
  cached_tokens: number;
  output_tokens: number;
  cost_nano_usd: Money;
  requests_succeeded: number;
  requests_failed: number;
  requests_charged: number;
}

/** Written by us only for the first administrator; ISO text is accepted by both databases for its times. */
interface AuthUsersTable {
  id: string;
  name: string;
  email: string;
  email_verified: ColumnType<number | boolean, boolean, boolean>;
  image: string | null;
  created_at: ColumnType<string | Date, string, string>;
  updated_at: ColumnType<string | Date, string, string>;
}

/** better-auth's "account": how a user proves who they are (a password, or an OIDC provider). */
interface AuthIdentitiesTable {
  id: string;
  account_id: string;
  provider_id: string;
  user_id: string;
  password: string | null;
  created_at: ColumnType<string | Date, string, string>;
  updated_at: ColumnType<string | Date, string, string>;
}

export interface Tables {
  store_marks: StoreMarksTable;
  accounts: AccountsTable;
  api_keys: ApiKeysTable;
  balances: BalancesTable;
  ledger_transfers: LedgerTransfersTable;
  ledger_entries: LedgerEntriesView;
  prices: PricesTable;
  server_leases: ServerLeasesTable;
  holds: HoldsTable;
  usage_requests: UsageRequestsTable;
  usage_rollups: UsageRollupsTable;
  auth_users: AuthUsersTable;
  auth_identities: AuthIdentitiesTable;
}
