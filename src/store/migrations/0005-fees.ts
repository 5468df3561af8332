import type { Ddl, Migration } from './migration.ts';

/** Prices beside those of tokens, how often they were incurred, and charges that belong to no turn. */
export const fees: Migration = {
  id: '0005-fees',
  statements: (ddl) => [...priceColumns(ddl), ...countColumns(ddl), ...resourceTables(ddl)],
};

const priceColumns = (ddl: Ddl): string[] => [
  ...['object_cached_input', 'web_search', 'cache_hit', 'cache_creation', 'cache_storage'].map(
    (name) =>
      `alter table prices add column ${name}_nano_usd ${ddl.integer} not null default 0 check (${name}_nano_usd >= 0)`,
  ),
  // No charge was ever made by these columns, so no history is rewritten. What was made free stays free. The page's own
  // fees: 0.004 USD a search, 0.00002 a cache hit, 1.15 per million tokens created, 0.01 per million and minute.
  `update prices set web_search_nano_usd = 4000000, cache_hit_nano_usd = 20000,
      cache_creation_nano_usd = 1150000000, cache_storage_nano_usd = 10000000
    where model_id = 'moonshot/kimi-k2-turbo-preview'
      and input_nano_usd + cached_input_nano_usd + output_nano_usd > 0`,
];

const countColumns = (ddl: Ddl): string[] =>
  ['usage_requests', 'usage_rollups'].flatMap((table) =>
    ['object_cached_tokens', 'web_searches', 'cache_hits'].map(
      (name) => `alter table ${table} add column ${name} ${ddl.integer} not null default 0`,
    ),
  );

const resourceTables = (ddl: Ddl): string[] => [
  `create table resource_holds (
    hold_id text primary key, resource_id text not null,
    account_id ${ddl.integer} not null references accounts (id),
    key_id ${ddl.integer} not null references api_keys (id),
    model_id text not null, amount_nano_usd ${ddl.integer} not null check (amount_nano_usd >= 0),
    created_at ${ddl.integer} not null, expires_at ${ddl.integer} not null ${ddl.tableEnd}`,
  `create table resource_charges (
    once_key text primary key, resource_id text not null,
    kind text not null check (kind in ('cache_creation', 'cache_storage')),
    account_id ${ddl.integer} not null references accounts (id),
    key_id ${ddl.integer} not null references api_keys (id),
    model_id text not null, price_id ${ddl.integer} references prices (id), tokens ${ddl.integer} not null,
    cost_nano_usd ${ddl.integer} not null check (cost_nano_usd >= 0),
    created_at ${ddl.integer} not null ${ddl.tableEnd}`,
  // Edges of a report's window, as usage_requests_key.
  'create index resource_charges_key on resource_charges (key_id, created_at)',
];
