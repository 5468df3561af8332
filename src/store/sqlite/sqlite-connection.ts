/** One better-sqlite3 connection with our settings, prepared statements and value rules. Lives in a thread. */
import Database from 'better-sqlite3';
import { decodeRow } from '../decode-value.ts';
import type { SqliteThreadData, WireResult, WireStatement } from './sqlite-protocol.ts';

/** Statement texts are constants or Kysely's output; beyond this many the oldest is prepared anew when needed. */
const preparedStatementsMax = 500;

export interface SqliteConnection {
  readonly database: Database.Database;
  run(statement: WireStatement): WireResult;
  /** For `begin immediate`, `savepoint group` and the like. */
  execute(sql: string): void;
}

/** Opens the file. Throws when it is no SQLite database or cannot be opened. */
export function openSqliteConnection(data: SqliteThreadData): SqliteConnection {
  const database = new Database(data.filePath, { timeout: data.busyTimeoutMs });
  database.pragma('journal_mode = WAL');
  // The writer syncs the log itself, off its thread (log-sync.ts): the durability of FULL, without making
  // statements that need no sync wait behind one.
  database.pragma('synchronous = NORMAL');
  database.pragma('foreign_keys = ON');
  database.pragma('cache_size = -16384');
  if (data.role === 'reader') {
    database.pragma('query_only = ON');
  } else {
    // Checkpoints run on a reader thread every second (sqlite-store.ts); this is the safety net at 32 MB.
    database.pragma('wal_autocheckpoint = 8000');
  }
  const prepare = createStatementCache(database);
  return {
    database,
    run: (statement) => runStatement(prepare(statement.sql), statement.parameters),
    execute: (sql) => {
      prepare(sql).run();
    },
  };
}

type Prepared = Database.Statement<unknown[], Record<string, unknown>>;

function createStatementCache(database: Database.Database): (sql: string) => Prepared {
  const prepared = new Map<string, Prepared>();
  return (sql) => {
    const known = prepared.get(sql);
    if (known !== undefined) {
      return known;
    }
    const fresh = database.prepare<unknown[], Record<string, unknown>>(sql).safeIntegers(true);
    const [oldest] = prepared.keys();
    if (oldest !== undefined && prepared.size >= preparedStatementsMax) {
      prepared.delete(oldest);
    }
    prepared.set(sql, fresh);
    return fresh;
  };
}

function runStatement(prepared: Prepared, parameters: readonly unknown[]): WireResult {
  const bound = parameters.map(encodeParameter);
  if (prepared.reader) {
    const rows = prepared.all(bound);
    for (const row of rows) {
      decodeRow(row);
    }
    return { rowCount: rows.length, rows, insertId: undefined };
  }
  const { changes, lastInsertRowid } = prepared.run(bound);
  return { rowCount: changes, rows: [], insertId: BigInt(lastInsertRowid) };
}

/** SQLite knows neither booleans nor dates; better-auth sends both. */
function encodeParameter(value: unknown): unknown {
  if (typeof value === 'boolean') {
    return value ? 1 : 0;
  }
  if (typeof value === 'number' && Number.isInteger(value)) {
    // better-sqlite3 binds numbers as REAL, which a STRICT integer column takes but an expression would keep.
    return BigInt(value);
  }
  if (value instanceof Date) {
    return value.toISOString();
  }
  return value ?? null;
}
