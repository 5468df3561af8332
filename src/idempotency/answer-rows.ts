/** The kept answers in the database: who may make one, what was made, and when it is forgotten. */
import { ApiError } from '../errors.ts';
import { type Statement, type Store, statement } from '../store/store.ts';
import type { AnswerHeaders } from './shared-answer.ts';

/** A request under a caller's key. */
export interface KeyedRequest {
  readonly accountId: number;
  readonly key: string;
  readonly digest: string;
  /** Of the turn that answers it, unless it was answered before. */
  readonly inferenceId: string;
}

export type Claim =
  | { readonly isOurs: true }
  | { readonly isOurs: false; readonly headers: AnswerHeaders; readonly body: string };

/** How long an answer is kept, from its first request on. */
const keptMs = 24 * 3_600_000;
/** UTF-16 units; a longer body is not kept. */
const bodyLengthMax = 8 * 1_048_576;
/** Rows per delete, so that a day's worth never holds the writer for long. */
const deletesMax = 200;

/**
 * A key may be claimed that is new, that has expired, or whose turn cannot end any more: its server's lease has
 * ended, or it was this very server, which would know of it.
 */
const claimSql = `insert into idempotent_answers
    (account_id, idempotency_key, request_digest, inference_id, server_id, created_at, expires_at)
  values (?, ?, ?, ?, ?, ?, ?)
  on conflict (account_id, idempotency_key) do update set request_digest = excluded.request_digest,
    inference_id = excluded.inference_id, server_id = excluded.server_id, status = null, headers = null, body = null,
    created_at = excluded.created_at, expires_at = excluded.expires_at
  where idempotent_answers.expires_at <= excluded.created_at
    or (idempotent_answers.status is null and (idempotent_answers.server_id = excluded.server_id
      or not exists (select 1 from server_leases where server_leases.server_id = idempotent_answers.server_id
        and server_leases.expires_at > excluded.created_at)))`;

/**
 * Makes the request ours to answer, or returns the kept answer. Throws ApiError `idempotency_conflict`: the key was
 * used for another request, another server is answering it, or its answer was too long to be kept.
 */
export async function claimRequest(
  store: Store,
  request: KeyedRequest,
  { serverId, now }: { readonly serverId: string; readonly now: number },
): Promise<Claim> {
  const { accountId, key, digest, inferenceId } = request;
  for (;;) {
    const claimed = await store.commit(
      [
        statement(claimSql, [accountId, key, digest, inferenceId, serverId, now, now + keptMs], {
          rows: 1,
          otherwise: 'taken',
        }),
      ],
      // A power cut ends the turn too.
      { durability: 'lazy' },
    );
    if (claimed.isCommitted) return { isOurs: true };
    const row = await store.db
      .selectFrom('idempotent_answers')
      .select(['request_digest', 'inference_id', 'status', 'headers', 'body'])
      .where('account_id', '=', accountId)
      .where('idempotency_key', '=', key)
      .executeTakeFirst();
    // Given up between the two statements: it can be claimed now.
    if (row === undefined) continue;
    if (row.request_digest !== digest) throw new ApiError('idempotency_conflict');
    if (row.status === null) {
      throw new ApiError('idempotency_conflict', {
        message:
          'A request with this Idempotency-Key is being answered by another server of this installation; send it again in some seconds to get that answer.',
        retryAfterSeconds: 5,
      });
    }
    if (row.body === null || row.headers === null) {
      throw new ApiError('idempotency_conflict', {
        message: `The answer to this Idempotency-Key was too long to be kept; it was given and charged once, as ${row.inference_id}. Use a new key to ask again.`,
      });
    }
    // Written by `keepAnswer`, from an object of texts.
    return { isOurs: false, headers: JSON.parse(row.headers) as AnswerHeaders, body: row.body };
  }
}

/** Belongs into the group that settles the turn, so that a charge and its answer are kept together or not at all. */
export function keepAnswer(
  request: KeyedRequest,
  answer: { readonly headers: AnswerHeaders; readonly body: string },
): Statement<never> {
  const body = answer.body.length > bodyLengthMax ? null : answer.body;
  return statement(
    `update idempotent_answers set status = 200, headers = ?, body = ?
     where account_id = ? and idempotency_key = ? and inference_id = ?`,
    [JSON.stringify(answer.headers), body, request.accountId, request.key, request.inferenceId],
  );
}

/** Frees the key of a turn that was not settled: it may be tried again. */
export async function giveUpRequest(store: Store, request: KeyedRequest): Promise<void> {
  await store.commit(
    [
      statement(
        `delete from idempotent_answers
         where account_id = ? and idempotency_key = ? and inference_id = ? and status is null`,
        [request.accountId, request.key, request.inferenceId],
      ),
    ],
    { durability: 'lazy' },
  );
}

/** Forgets what has expired. */
export async function deleteExpiredAnswers(store: Store, now: number): Promise<void> {
  for (;;) {
    const result = await store.commit(
      [
        statement(
          `delete from idempotent_answers where (account_id, idempotency_key) in
             (select account_id, idempotency_key from idempotent_answers where expires_at <= ? limit ${deletesMax})`,
          [now],
        ),
      ],
      { durability: 'lazy' },
    );
    if (!result.isCommitted || (result.results[0]?.rowCount ?? 0) < deletesMax) return;
  }
}
