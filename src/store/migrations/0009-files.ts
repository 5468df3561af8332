import type { Migration } from './migration.ts';

/** Uploaded files. Their bytes and texts are in a storage under their ids; a row is written last and deleted first. */
export const files: Migration = {
  id: '0009-files',
  statements: (ddl) => [
    `create table files (
      id text primary key,
      account_id ${ddl.integer} not null references accounts (id),
      filename text not null, purpose text not null, media_type text not null,
      size_bytes ${ddl.integer} not null check (size_bytes > 0), sha256 text not null,
      status text not null check (status in ('ready', 'error')), status_details text,
      created_at ${ddl.integer} not null ${ddl.tableEnd}`,
    'create index files_by_account on files (account_id, created_at, id)',
  ],
};
