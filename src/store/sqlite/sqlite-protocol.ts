/** What crosses between the main thread and the SQLite threads. Everything is structured-clone safe. */

/** A thread's job: one connection that writes, or one that only reads. */
export interface SqliteThreadData {
  readonly role: 'writer' | 'reader';
  readonly filePath: string;
  /** How long a write waits for another process (a command line beside the server). */
  readonly busyTimeoutMs: number;
  /** An open interactive transaction that is idle for longer is rolled back, so that it cannot stop all others. */
  readonly transactionIdleMs: number;
}

export interface WireStatement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** See `Guard.rows`; the reason stays on the main thread. */
  readonly rowsRequired: number | undefined;
}

export type SqliteRequest = { readonly id: number } & (
  | { readonly type: 'run'; readonly transaction: number | undefined; readonly statement: WireStatement }
  | { readonly type: 'begin'; readonly transaction: number }
  | { readonly type: 'end'; readonly transaction: number; readonly how: 'commit' | 'rollback' }
  | {
      readonly type: 'group';
      readonly isLazy: boolean;
      readonly statements: readonly WireStatement[];
    }
  | { readonly type: 'checkpoint' }
  | { readonly type: 'close' }
);

export interface WireResult {
  readonly rowCount: number;
  readonly rows: readonly Record<string, unknown>[];
  /** Only of a single insert; a group does not tell. */
  readonly insertId: bigint | undefined;
}

export type WireOutcome =
  | { readonly type: 'result'; readonly result: WireResult }
  | { readonly type: 'committed'; readonly results: readonly WireResult[] }
  | { readonly type: 'refused'; readonly statementIndex: number }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly code: string | undefined; readonly message: string };

export interface SqliteReply {
  readonly id: number;
  readonly outcome: WireOutcome;
}
