/**
 * A group as one statement: each of its statements is a common table expression, and the list that is selected runs
 * them in their order, each with its guard. It is its own transaction, so that nothing but the commit follows, and a
 * turn of the ledger costs PostgreSQL two statements instead of fifteen.
 */
import type pg from 'pg';
import { errorCodeOf } from '../../error-code.ts';
import type { CommitResult, Statement } from '../store.ts';
import { guardFailedCode, numberPlaceholders, returnsRows } from './statement-text.ts';

interface MergedText {
  readonly name: string;
  readonly text: string;
}

/** By the texts and guards of the group. As small as the code that makes groups. */
const merged = new Map<string, MergedText>();

/** For independent statements only (`CommitOptions`). Commits without waiting for the disk, as `runPostgresGroup` does. */
export async function runMergedGroup<Reason extends string>(
  client: pg.PoolClient,
  group: readonly Statement<Reason>[],
): Promise<CommitResult<Reason>> {
  try {
    const { rows } = await client.query<Record<string, unknown>>({
      ...mergeTexts(group),
      values: group.flatMap(({ parameters }) => parameters),
    });
    const counts = rows[0] ?? {};
    return {
      isCommitted: true,
      results: group.map(({ guard }, index) => ({
        rowCount: guard?.rows ?? Number(counts[`r${index}`] ?? 0),
        rows: [],
      })),
    };
  } catch (thrown) {
    const statementIndex = findFailedGuard(thrown);
    const guard = group[statementIndex ?? -1]?.guard;
    if (guard === undefined || statementIndex === undefined) throw thrown;
    return { isCommitted: false, reason: guard.otherwise, statementIndex };
  }
}

/** Undefined: something else failed. */
function findFailedGuard(thrown: unknown): number | undefined {
  if (errorCodeOf(thrown) !== guardFailedCode) return undefined;
  return thrown instanceof Error && 'detail' in thrown ? Number(thrown.detail) : undefined;
}

function mergeTexts(group: readonly Statement[]): MergedText {
  const key = group.map(({ sql, guard }) => `${guard?.rows ?? ''} ${sql}`).join(';');
  const known = merged.get(key);
  if (known !== undefined) return known;
  const expressions = group.map(({ sql }, index) => {
    const body = returnsRows(sql) ? sql : `${sql} returning 1`;
    return `s${index} as (${body})`;
  });
  const outcomes = group.map(({ guard }, index) => {
    const count = `(select count(*) from s${index})`;
    return guard === undefined
      ? `${count} as r${index}`
      : `require_rows_of(${index}, ${count}, ${guard.rows}) as r${index}`;
  });
  // Local to the transaction, which is this statement.
  const asynchronously = "set_config('synchronous_commit', 'off', true)";
  const text = `with ${expressions.join(',\n')}\nselect ${[asynchronously, ...outcomes].join(',\n')}`;
  const made = { name: `perigee-group-${merged.size + 1}`, text: numberPlaceholders(text) };
  merged.set(key, made);
  return made;
}
