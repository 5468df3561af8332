import type { Ddl, Migration } from './migration.ts';

/** Context-cache objects and the tags that name them. */
export const caching: Migration = {
  id: '0011-caching',
  statements: (ddl) => [...cacheTables(ddl), ...tagTables(ddl)],
};

const cacheTables = (ddl: Ddl): string[] => [
  `create table context_caches (
    id text primary key,
    account_id ${ddl.integer} not null references accounts (id),
    key_id ${ddl.integer} not null references api_keys (id),
    model_id text not null, status text not null check (status in ('pending', 'ready', 'error', 'inactive')),
    messages text not null, tools text, name text, description text, metadata text not null,
    tokens ${ddl.integer} not null, backing text not null check (backing in ('pinned', 'resent')),
    created_at ${ddl.integer} not null, expires_at ${ddl.integer} not null,
    life ${ddl.integer} not null, stored_at ${ddl.integer},
    charged_seconds ${ddl.integer} not null, held_seconds ${ddl.integer} not null, hold_id text,
    due_at ${ddl.integer}, claimed_by text, claimed_until ${ddl.integer} not null,
    attempts ${ddl.integer} not null, error_type text, error_message text ${ddl.tableEnd}`,
  // One account's objects in their order, and whatever is due.
  'create index context_caches_account on context_caches (account_id, created_at)',
  'create index context_caches_due on context_caches (due_at)',
];

const tagTables = (ddl: Ddl): string[] => [
  `create table context_cache_tags (
    account_id ${ddl.integer} not null references accounts (id), tag text not null,
    cache_id text not null references context_caches (id), created_at ${ddl.integer} not null,
    primary key (account_id, tag) ${ddl.tableEnd}`,
  'create index context_cache_tags_cache on context_cache_tags (cache_id)',
];
