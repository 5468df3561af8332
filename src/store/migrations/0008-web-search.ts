import type { Migration } from './migration.ts';

/** What a search found, between the answer that names its id and the request that sends the id back. */
export const webSearch: Migration = {
  id: '0008-web-search',
  statements: (ddl) => [
    `create table web_searches (
      search_id text primary key, account_id ${ddl.integer} not null references accounts (id),
      content text not null, created_at ${ddl.integer} not null, expires_at ${ddl.integer} not null ${ddl.tableEnd}`,
    // Expired rows are swept whenever one is added.
    'create index web_searches_expiry on web_searches (expires_at)',
  ],
};
