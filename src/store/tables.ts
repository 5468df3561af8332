/**
 * The tables as TypeScript sees them. Portable subset: whole numbers for ids, counts, flags (0/1) and times
 * (milliseconds since 1970, UTC), bigint for money (`…_nano_usd`), text for JSON. Those of
 * people are in `people-tables.ts`.
 */
import type { ColumnType, Generated } from 'kysely';
import type { PeopleTables } from './people-tables.ts';

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
  /** 1: a new account that an administrator has yet to let in; it is disabled until then. */
  awaits_approval: Generated<number>;
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
  /** Why, in words, of what an administrator booked by hand. */
  note: Fixed<string | null>;
  booked_by_account_id: Fixed<number | null>;
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

/** A model's prices; a change is a new row, so a charge's price can always be named. Units: `ModelPrices`. */
interface PricesTable {
  id: Generated<number>;
  model_id: Fixed<string>;
  /** Counts from 1 per model; the highest holds. */
  version: Fixed<number>;
  input_nano_usd: Fixed<bigint>;
  cached_input_nano_usd: Fixed<bigint>;
  output_nano_usd: Fixed<bigint>;
  object_cached_input_nano_usd: Fixed<bigint>;
  web_search_nano_usd: Fixed<bigint>;
  cache_hit_nano_usd: Fixed<bigint>;
  cache_creation_nano_usd: Fixed<bigint>;
  cache_storage_nano_usd: Fixed<bigint>;
  created_at: Fixed<number>;
}

/** A server process that may have turns running; its holds are void when its lease has ended. */
interface ServerLeasesTable {
  server_id: Fixed<string>;
  expires_at: number;
}

/** What administrators set. Null = what the level above says; -1 = no limit, whatever it says. */
interface RateLimitsTable {
  /** `default` (with subject 0) holds for accounts that have nothing of their own. */
  scope: Fixed<'default' | 'account' | 'key'>;
  subject_id: Fixed<number>;
  requests_per_minute: number | null;
  tokens_per_minute: number | null;
  tokens_per_day: number | null;
  concurrency: number | null;
  updated_at: number;
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

/** Money reserved for a resource (a context cache) beside turns; it outlives the process, and ends by itself. */
interface ResourceHoldsTable {
  hold_id: Fixed<string>;
  resource_id: Fixed<string>;
  account_id: Fixed<number>;
  key_id: Fixed<number>;
  model_id: Fixed<string>;
  amount_nano_usd: Fixed<bigint>;
  created_at: Fixed<number>;
  /** From then on whoever notices gives it back. */
  expires_at: Fixed<number>;
}

/** One row per charge that belongs to no turn: what makes a second booking impossible, and what it was for. */
interface ResourceChargesTable {
  once_key: Fixed<string>;
  /** The `reference_id` of its transfer. */
  resource_id: Fixed<string>;
  kind: Fixed<ResourceChargeKind>;
  account_id: Fixed<number>;
  key_id: Fixed<number>;
  model_id: Fixed<string>;
  price_id: Fixed<number | null>;
  tokens: Fixed<number>;
  cost_nano_usd: Fixed<bigint>;
  created_at: Fixed<number>;
}

export type ResourceChargeKind = 'cache_creation' | 'cache_storage';

/** An answer under a caller's Idempotency-Key: being made (`status` null), or kept to be given again. */
interface IdempotentAnswersTable {
  account_id: Fixed<number>;
  idempotency_key: Fixed<string>;
  /** SHA-256 of what was asked, hexadecimal. */
  request_digest: string;
  inference_id: string;
  /** Who makes it; void when the server's lease has ended. */
  server_id: string;
  /** HTTP status; null = not settled yet. */
  status: number | null;
  /** JSON object. */
  headers: string | null;
  /** Null with a status: it was too long to be kept. */
  body: string | null;
  created_at: number;
  expires_at: number;
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
  /** The part of `cached_tokens` that a context-cache object covered. */
  object_cached_tokens: Fixed<number>;
  web_searches: Fixed<number>;
  cache_hits: Fixed<number>;
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
  object_cached_tokens: number;
  web_searches: number;
  cache_hits: number;
  /** Of requests, and of resources (`resource_charges`), which count as no request. */
  cost_nano_usd: Money;
  requests_succeeded: number;
  requests_failed: number;
  requests_charged: number;
}

/** What a search found, for the account whose next request sends its id back. */
interface WebSearchesTable {
  search_id: Fixed<string>;
  account_id: Fixed<number>;
  /** JSON of a `StoredSearch` without its id (`web-search/search-records.ts`). */
  content: Fixed<string>;
  created_at: Fixed<number>;
  expires_at: Fixed<number>;
}

export type CacheStatus = 'pending' | 'ready' | 'error' | 'inactive';

/** A context-cache object: a beginning of prompts, stored and paid for until it expires. */
interface ContextCachesTable {
  id: Fixed<string>;
  account_id: Fixed<number>;
  /** The key that made it: its charges count against that key's limit. */
  key_id: Fixed<number>;
  model_id: Fixed<string>;
  /** `ready` past `expires_at` is not settled yet and counts as `inactive`. */
  status: CacheStatus;
  /** JSON as it came over the wire. */
  messages: Fixed<string>;
  tools: Fixed<string | null>;
  name: Fixed<string | null>;
  description: Fixed<string | null>;
  metadata: string;
  tokens: number;
  backing: Fixed<'pinned' | 'resent'>;
  created_at: Fixed<number>;
  /** Whole seconds, in milliseconds; as `stored_at`. */
  expires_at: number;
  /** Counts from 1; an object that expired and was extended begins another. */
  life: number;
  /** When this life's storage began; null until it is computed. */
  stored_at: number | null;
  /** Seconds from `stored_at` that are charged, and that `hold_id` reaches to. */
  charged_seconds: number;
  held_seconds: number;
  hold_id: string | null;
  /** When somebody has to look at it; null = never. */
  due_at: number | null;
  /** The process that is working on it, until then. */
  claimed_by: string | null;
  claimed_until: number;
  /** Of computing it. */
  attempts: number;
  error_type: string | null;
  error_message: string | null;
}

/** A name for a cache object, unique in its account. */
interface ContextCacheTagsTable {
  account_id: Fixed<number>;
  tag: Fixed<string>;
  cache_id: string;
  created_at: number;
}

/** An uploaded file; its bytes and text are in the storage under its id. */
interface FilesTable {
  id: Fixed<string>;
  account_id: Fixed<number>;
  filename: Fixed<string>;
  purpose: Fixed<string>;
  media_type: Fixed<string>;
  size_bytes: Fixed<number>;
  sha256: Fixed<string>;
  status: Fixed<'ready' | 'error'>;
  status_details: Fixed<string | null>;
  created_at: Fixed<number>;
}

export interface Tables extends PeopleTables {
  store_marks: StoreMarksTable;
  accounts: AccountsTable;
  api_keys: ApiKeysTable;
  balances: BalancesTable;
  ledger_transfers: LedgerTransfersTable;
  ledger_entries: LedgerEntriesView;
  prices: PricesTable;
  server_leases: ServerLeasesTable;
  holds: HoldsTable;
  idempotent_answers: IdempotentAnswersTable;
  rate_limits: RateLimitsTable;
  resource_holds: ResourceHoldsTable;
  resource_charges: ResourceChargesTable;
  usage_requests: UsageRequestsTable;
  usage_rollups: UsageRollupsTable;
  web_searches: WebSearchesTable;
  files: FilesTable;
  context_caches: ContextCachesTable;
  context_cache_tags: ContextCacheTagsTable;
}
