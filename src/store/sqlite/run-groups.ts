/** Groups that wait together share one transaction, each behind its own savepoint; one alone needs none. */
import { failedOutcome } from './failed-outcome.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteRequest, WireOutcome, WireResult } from './sqlite-protocol.ts';

export type GroupRequest = Extract<SqliteRequest, { type: 'group' }>;

/** One outcome per group, in order. Committed means written to the log, not yet synced. */
export function runGroups(connection: SqliteConnection, groups: readonly GroupRequest[]): WireOutcome[] {
  try {
    connection.execute('begin immediate');
    const [only] = groups;
    if (only !== undefined && groups.length === 1) return [runOnlyGroup(connection, only)];
    const outcomes = groups.map((group) => runGroup(connection, group));
    connection.execute('commit');
    return outcomes;
  } catch (thrown) {
    rollBack(connection);
    const outcome = failedOutcome(thrown);
    return groups.map(() => outcome);
  }
}

function runOnlyGroup(connection: SqliteConnection, group: GroupRequest): WireOutcome {
  const outcome = runStatements(connection, group);
  connection.execute(outcome.type === 'committed' ? 'commit' : 'rollback');
  return outcome;
}

function runGroup(connection: SqliteConnection, group: GroupRequest): WireOutcome {
  connection.execute('savepoint commit_group');
  let outcome: WireOutcome;
  try {
    outcome = runStatements(connection, group);
  } catch (thrown) {
    // A full disk or an I/O error may have rolled the whole transaction back: then all its groups have failed.
    if (!connection.database.inTransaction) {
      throw thrown;
    }
    undoGroup(connection);
    return failedOutcome(thrown);
  }
  if (outcome.type === 'committed') connection.execute('release commit_group');
  else undoGroup(connection);
  return outcome;
}

/** Stops at the first guard that does not hold; undoing is left to the caller. */
function runStatements(connection: SqliteConnection, group: GroupRequest): WireOutcome {
  const results: WireResult[] = [];
  for (const statement of group.statements) {
    const result = connection.run(statement);
    if (statement.rowsRequired !== undefined && result.rowCount !== statement.rowsRequired) {
      return { type: 'refused', statementIndex: results.length };
    }
    results.push(result);
  }
  return { type: 'committed', results };
}

function undoGroup(connection: SqliteConnection): void {
  connection.execute('rollback to commit_group');
  connection.execute('release commit_group');
}

export function endTransaction(connection: SqliteConnection, how: 'commit' | 'rollback'): void {
  try {
    connection.execute(how);
  } finally {
    rollBack(connection);
  }
}

export function rollBack(connection: SqliteConnection): void {
  if (connection.database.inTransaction) {
    connection.execute('rollback');
  }
}
