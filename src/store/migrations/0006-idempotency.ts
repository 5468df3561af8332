import type { Migration } from './migration.ts';

/** Answers that are kept for callers who send a request again under the same Idempotency-Key. */
export const idempotency: Migration = {
  id: '0006-idempotency',
  statements: (ddl) => [
    `create table idempotent_answers (
      account_id ${ddl.integer} not null references accounts (id), idempotency_key text not null,
      request_digest text not null, inference_id text not null, server_id text not null,
      status ${ddl.integer}, headers text, body text,
      created_at ${ddl.integer} not null, expires_at ${ddl.integer} not null,
      primary key (account_id, idempotency_key) ${ddl.tableEnd}`,
    'create index idempotent_answers_expiry on idempotent_answers (expires_at)',
  ],
};
