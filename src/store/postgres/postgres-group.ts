/**
 * One group as one pipelined transaction: begin, statements, commit leave together, and guards are checked by the
 * server (function `require_rows`). The row locks of a group are so held for its own work only, never for a round
 * trip, and never for a disk sync: the commit is asynchronous, and `postgres-store.ts` waits for the log.
 */
import type pg from 'pg';
import { errorCodeOf } from '../../error-code.ts';
import { decodeRow } from '../decode-value.ts';
import type { CommitResult, Guard, Statement, StatementResult } from '../store.ts';
import { StoreError } from '../store-error.ts';
import { guardFailedCode, numberPlaceholders, returnsRows } from './statement-text.ts';

/** Runs the group and commits without waiting for the disk. Rejects with what the driver threw. */
export async function runPostgresGroup<Reason extends string>(
  client: pg.PoolClient,
  group: readonly Statement<Reason>[],
): Promise<CommitResult<Reason>> {
  const begun = client.query('begin; set local synchronous_commit to off');
  const running = group.map((statement) => {
    const { name, text } = prepareText(statement);
    return client.query<Record<string, unknown>>({ name, text, values: [...statement.parameters] });
  });
  const ended = client.query('commit');
  // Everything is awaited whatever fails, because the connection is free again only after its last answer.
  const [opening, closing, ...outcomes] = await Promise.allSettled([begun, ended, ...running]);
  if (opening.status === 'rejected') {
    throw opening.reason;
  }
  const results: StatementResult[] = [];
  for (const [statementIndex, outcome] of outcomes.entries()) {
    const guard = group[statementIndex]?.guard;
    // In order: the first failure is the cause, those after it only say that the transaction is aborted.
    if (outcome.status === 'rejected') {
      if (guard !== undefined && errorCodeOf(outcome.reason) === guardFailedCode) {
        return { isCommitted: false, reason: guard.otherwise, statementIndex };
      }
      throw outcome.reason;
    }
    results.push(decodeResult(outcome.value, group[statementIndex]));
  }
  if (closing.status === 'rejected') {
    throw closing.reason;
  }
  if (closing.value.command !== 'COMMIT') {
    throw new StoreError('other', `PostgreSQL answered ${closing.value.command} to a commit.`);
  }
  return { isCommitted: true, results };
}

function decodeResult(
  { rows, rowCount }: pg.QueryResult<Record<string, unknown>>,
  statement: Statement | undefined,
): StatementResult {
  if (statement?.guard !== undefined && !returnsRows(statement.sql)) {
    // What came back is the guard's own row.
    return { rowCount: statement.guard.rows, rows: [] };
  }
  for (const row of rows) {
    decodeRow(row);
  }
  return { rowCount: rowCount ?? 0, rows };
}

interface PreparedText {
  readonly name: string;
  readonly text: string;
}

/** Statement texts are constants, so this map is as small as the code that writes them. */
const prepared = new Map<string, PreparedText>();

function prepareText({ sql, guard }: Statement): PreparedText {
  const key = guard === undefined ? sql : `${guard.rows} ${sql}`;
  const known = prepared.get(key);
  if (known !== undefined) {
    return known;
  }
  const text = { name: `perigee-${prepared.size + 1}`, text: addGuard(numberPlaceholders(sql), guard) };
  prepared.set(key, text);
  return text;
}

function addGuard(sql: string, guard: Guard | undefined): string {
  if (guard === undefined) {
    return sql;
  }
  const body = returnsRows(sql) ? sql : `${sql} returning 1`;
  // The check is the outer side of the join, so that it runs when there is no row at all.
  return `with guarded as (${body}),
    checked as (select require_rows(count(*), ${guard.rows}) as is_met from guarded)
    select guarded.* from checked left join guarded on true where checked.is_met`;
}
