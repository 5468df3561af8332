import type { Ddl, Migration } from './migration.ts';

/** Prices, holds and usage: what a turn costs, what is reserved for it, and what it was. */
export const metering: Migration = {
  id: '0002-metering',
  statements: (ddl) => [...priceTables(ddl), ...holdTables(ddl), ...usageTables(ddl)],
};

const priceTables = (ddl: Ddl): string[] => [
  `create table prices (
    id ${ddl.id}, model_id text not null, version ${ddl.integer} not null,
    input_nano_usd ${ddl.integer} not null check (input_nano_usd >= 0),
    cached_input_nano_usd ${ddl.integer} not null check (cached_input_nano_usd >= 0),
    output_nano_usd ${ddl.integer} not null check (output_nano_usd >= 0),
    created_at ${ddl.integer} not null, unique (model_id, version) ${ddl.tableEnd}`,
  // The page's own prices: 1.15, 0.15 and 8.00 USD per million tokens.
  `insert into prices
    (model_id, version, input_nano_usd, cached_input_nano_usd, output_nano_usd, created_at)
    values ('moonshot/kimi-k2-turbo-preview', 1, 1150000000, 150000000, 8000000000, 0)`,
];

const holdTables = (ddl: Ddl): string[] => [
  `create table server_leases (server_id text primary key, expires_at ${ddl.integer} not null ${ddl.tableEnd}`,
  `create table holds (
    inference_id text primary key, server_id text not null,
    account_id ${ddl.integer} not null references accounts (id),
    key_id ${ddl.integer} not null references api_keys (id),
    model_id text not null, amount_nano_usd ${ddl.integer} not null check (amount_nano_usd >= 0),
    created_at ${ddl.integer} not null ${ddl.tableEnd}`,
];

const usageTables = (ddl: Ddl): string[] => [
  `create table usage_requests (
    inference_id text primary key,
    account_id ${ddl.integer} not null references accounts (id),
    key_id ${ddl.integer} not null references api_keys (id),
    model_id text not null, price_id ${ddl.integer} references prices (id),
    origin text not null check (origin in ('api', 'playground')),
    status text not null check (status in ('succeeded', 'failed')),
    error_code text, is_client_left ${ddl.integer} not null check (is_client_left in (0, 1)),
    input_tokens ${ddl.integer} not null, cached_tokens ${ddl.integer} not null,
    output_tokens ${ddl.integer} not null, usage_source text,
    cost_nano_usd ${ddl.integer} not null check (cost_nano_usd >= 0),
    client_request_id text, time_to_first_token_ms ${ddl.integer}, duration_ms ${ddl.integer} not null,
    created_at ${ddl.integer} not null,
    check (status = 'succeeded' or cost_nano_usd = 0) ${ddl.tableEnd}`,
  // The log of one key, newest first; an account's log merges its keys'.
  'create index usage_requests_key on usage_requests (key_id, created_at)',
  `create table usage_rollups (
    key_id ${ddl.integer} not null references api_keys (id), model_id text not null,
    bucket_started_at ${ddl.integer} not null, account_id ${ddl.integer} not null references accounts (id),
    input_tokens ${ddl.integer} not null, cached_tokens ${ddl.integer} not null,
    output_tokens ${ddl.integer} not null, cost_nano_usd ${ddl.integer} not null,
    requests_succeeded ${ddl.integer} not null, requests_failed ${ddl.integer} not null,
    requests_charged ${ddl.integer} not null,
    primary key (key_id, bucket_started_at, model_id) ${ddl.tableEnd}`,
];
