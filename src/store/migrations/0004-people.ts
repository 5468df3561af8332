import type { Ddl, Migration } from './migration.ts';

/** How people come in (sign-up, invites, forgotten passwords), what they keep, and who moved money by hand. */
export const people: Migration = {
  id: '0004-people',
  statements: (ddl) => [
    // An account that waits for approval is disabled as well, so nothing else needs to know of the queue.
    `alter table accounts add column awaits_approval ${ddl.integer} not null default 0
      check (awaits_approval in (0, 1))`,
    // The hidden key of a session: two first requests at once must not make two.
    `create unique index api_keys_playground on api_keys (account_id) where kind = 'playground'`,
    'alter table ledger_transfers add column note text',
    `alter table ledger_transfers add column booked_by_account_id ${ddl.integer} references accounts (id)`,
    `create table store_secrets (name text primary key, value text not null ${ddl.tableEnd}`,
    ...entranceTables(ddl),
    ...conversationTables(ddl),
  ],
};

const entranceTables = (ddl: Ddl): string[] => [
  `create table attempts (
    name text primary key, count ${ddl.integer} not null, window_ends_at ${ddl.integer} not null ${ddl.tableEnd}`,
  'create index attempts_end on attempts (window_ends_at)',
  `create table invites (
    id ${ddl.id}, token_hash text not null unique check (length(token_hash) = 64),
    email text, credit_nano_usd ${ddl.integer} not null check (credit_nano_usd >= 0), note text,
    created_by_account_id ${ddl.integer} not null references accounts (id),
    created_at ${ddl.integer} not null, expires_at ${ddl.integer} not null,
    used_at ${ddl.integer}, used_by_account_id ${ddl.integer} references accounts (id),
    revoked_at ${ddl.integer} ${ddl.tableEnd}`,
  `create table reset_requests (
    account_id ${ddl.integer} primary key references accounts (id),
    requested_at ${ddl.integer} not null ${ddl.tableEnd}`,
];

const conversationTables = (ddl: Ddl): string[] => [
  `create table conversations (
    id text primary key, account_id ${ddl.integer} not null references accounts (id),
    title text not null, content text not null, size_bytes ${ddl.integer} not null,
    revision ${ddl.integer} not null, share_id text unique,
    created_at ${ddl.integer} not null, updated_at ${ddl.integer} not null ${ddl.tableEnd}`,
  'create index conversations_account on conversations (account_id, updated_at, id)',
];
