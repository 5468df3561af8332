import type { Migration } from './migration.ts';

/** A deleted key leaves its row: usage refers to it, and its prefix is never given to another key. */
export const deletedKeys: Migration = {
  id: '0003-deleted-keys',
  statements: (ddl) => [`alter table api_keys add column deleted_at ${ddl.integer}`],
};
