import type { Ddl, Migration } from './migration.ts';

/** People, accounts, keys and the ledger. */
export const foundation: Migration = {
  id: '0001-foundation',
  statements: (ddl) => [
    `create table store_marks (name text primary key, value ${ddl.integer} not null ${ddl.tableEnd}`,
    // Bumped by every change to a key; whoever caches keys polls it.
    `insert into store_marks (name, value) values ('key-generation', 1)`,
    ...authTables(ddl),
    ...accountTables(ddl),
    ...ledgerTables(ddl),
    ...(ddl.kind === 'sqlite' ? appendOnlySqlite : [...appendOnlyPostgres, requireRowsPostgres]),
  ],
};

// better-auth's core schema (1.7), its tables renamed because our "account" is another thing than its own.
const authTables = (ddl: Ddl): string[] => [
  `create table auth_users (
    id text primary key, name text not null, email text not null unique,
    email_verified ${ddl.authBoolean} not null, image text,
    created_at ${ddl.authTime} not null, updated_at ${ddl.authTime} not null)`,
  `create table auth_sessions (
    id text primary key, user_id text not null references auth_users (id) on delete cascade,
    token text not null unique, expires_at ${ddl.authTime} not null, ip_address text, user_agent text,
    created_at ${ddl.authTime} not null, updated_at ${ddl.authTime} not null)`,
  'create index auth_sessions_user on auth_sessions (user_id)',
  `create table auth_identities (
    id text primary key, user_id text not null references auth_users (id) on delete cascade,
    account_id text not null, provider_id text not null, access_token text, refresh_token text, id_token text,
    access_token_expires_at ${ddl.authTime}, refresh_token_expires_at ${ddl.authTime}, scope text, password text,
    created_at ${ddl.authTime} not null, updated_at ${ddl.authTime} not null)`,
  'create index auth_identities_user on auth_identities (user_id)',
  `create table auth_verifications (
    id text primary key, identifier text not null, value text not null, expires_at ${ddl.authTime} not null,
    created_at ${ddl.authTime} not null, updated_at ${ddl.authTime} not null)`,
  'create index auth_verifications_identifier on auth_verifications (identifier)',
];

const accountTables = (ddl: Ddl): string[] => [
  `create table accounts (
    id ${ddl.id}, owner_user_id text not null unique references auth_users (id),
    is_admin ${ddl.integer} not null check (is_admin in (0, 1)),
    disabled_at ${ddl.integer}, created_at ${ddl.integer} not null ${ddl.tableEnd}`,
  `create table api_keys (
    id ${ddl.id}, account_id ${ddl.integer} not null references accounts (id),
    kind text not null check (kind in ('regular', 'management', 'playground')),
    prefix text not null unique check (length(prefix) = 8),
    secret_hash text not null unique check (length(secret_hash) = 64),
    name text, scopes text,
    limit_retention text check (limit_retention in ('no_reset', 'day', 'week', 'month')),
    limit_threshold_nano_usd ${ddl.integer} check (limit_threshold_nano_usd >= 0),
    is_disabled ${ddl.integer} not null check (is_disabled in (0, 1)),
    expires_at ${ddl.integer}, last_used_at ${ddl.integer},
    created_at ${ddl.integer} not null, updated_at ${ddl.integer} not null,
    window_started_at ${ddl.integer} not null default 0,
    window_spent_nano_usd ${ddl.integer} not null default 0,
    window_held_nano_usd ${ddl.integer} not null default 0 check (window_held_nano_usd >= 0),
    check ((limit_retention is null) = (limit_threshold_nano_usd is null)) ${ddl.tableEnd}`,
  'create index api_keys_account on api_keys (account_id, id)',
];

const ledgerTables = (ddl: Ddl): string[] => [
  // The checks are the last line of defence of "no balance is ever negative, no hold without cover".
  `create table balances (
    account_id ${ddl.integer} primary key references accounts (id),
    balance_nano_usd ${ddl.integer} not null,
    held_nano_usd ${ddl.integer} not null check (held_nano_usd >= 0),
    check (held_nano_usd <= balance_nano_usd) ${ddl.tableEnd}`,
  `create table ledger_transfers (
    id ${ddl.id}, account_id ${ddl.integer} not null references accounts (id),
    counterpart text not null check (counterpart in ('grants', 'payments', 'revenue', 'expired')),
    direction text not null check (direction in ('TOPUP', 'CHARGE')),
    type text not null check (type in
      ('PAYMENT', 'BONUS', 'REFUND', 'ADJUSTMENT', 'MODEL_USAGE', 'CREDITS_EXPIRED', 'INIT')),
    amount_nano_usd ${ddl.integer} not null check (amount_nano_usd > 0),
    model_id text, reference_id text, once_key text, created_at ${ddl.integer} not null ${ddl.tableEnd}`,
  'create index ledger_transfers_account on ledger_transfers (account_id, id)',
  'create unique index ledger_transfers_once on ledger_transfers (once_key) where once_key is not null',
  `create view ledger_entries as
    select id as transfer_id, account_id, 'account' as side,
      case direction when 'TOPUP' then amount_nano_usd else -amount_nano_usd end as amount_nano_usd, created_at
    from ledger_transfers
    union all
    select id, account_id, counterpart,
      case direction when 'TOPUP' then -amount_nano_usd else amount_nano_usd end, created_at
    from ledger_transfers`,
];

const appendOnlySqlite: readonly string[] = [
  `create trigger ledger_transfers_no_update before update on ledger_transfers
    begin select raise(abort, 'the ledger is append-only'); end`,
  `create trigger ledger_transfers_no_delete before delete on ledger_transfers
    begin select raise(abort, 'the ledger is append-only'); end`,
];

const appendOnlyPostgres: readonly string[] = [
  `create function refuse_ledger_change() returns trigger language plpgsql as
    $$ begin raise exception 'the ledger is append-only' using errcode = '23514'; end $$`,
  `create trigger ledger_transfers_append_only before update or delete or truncate on ledger_transfers
    for each statement execute function refuse_ledger_change()`,
];

// Lets a guard fail inside the transaction, so that a whole group travels in one go (postgres-group.ts).
const requireRowsPostgres = `create function require_rows(actual bigint, required bigint) returns boolean
  language plpgsql as $$ begin
    if actual <> required then raise exception 'guard: % rows, not %', actual, required using errcode = 'PGRD1'; end if;
    return true;
  end $$`;
