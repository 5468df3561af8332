/**
 * The one door to the database. SQLite (default) and PostgreSQL stand behind the same interface and the same
 * schema (`tables.ts`, `migrations/`); every table is read and written through a `Store`, by nobody else.
 *
 * Two ways in: `db` (Kysely) for reads and rare writes, and `commit` for atomic groups of statements on the hot
 * path, which costs one disk sync for all groups that arrive together.
 */
import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/** What must hold of one statement for its group to stand. */
export interface Guard<Reason extends string = string> {
  /** Exactly this many rows must be changed (or returned, for a statement that returns rows). */
  readonly rows: number;
  /** Why the group failed when it is another number; the caller turns it into an ApiError. */
  readonly otherwise: Reason;
}

/** One SQL statement of a group: hand-written with `?` placeholders, or a compiled Kysely query. */
export interface Statement<Reason extends string = string> {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly guard?: Guard<Reason>;
}

export interface StatementResult {
  /** Rows changed, or returned by a statement that returns rows. */
  readonly rowCount: number;
  /** Integers as numbers, money columns (`…_nano_usd`) as bigint, text and null as they are. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

export type CommitResult<Reason extends string = string> =
  | { readonly isCommitted: true; readonly results: readonly StatementResult[] }
  /** Nothing of the group was written: the guard of statement `statementIndex` did not hold. */
  | { readonly isCommitted: false; readonly reason: Reason; readonly statementIndex: number };

export interface CommitOptions {
  /**
   * `sync` (default): resolved when the group is on disk; neither a killed process nor a power cut loses it.
   * `lazy`: resolved when it is written, without waiting for the disk; a killed process does not lose it, a
   * power cut may lose the last moment's. Groups become durable in the order in which they were written; a `sync`
   * one that has to wait for the disk may be written after lazy ones that were sent later.
   */
  readonly durability?: 'sync' | 'lazy';
  /**
   * Promises that no statement of the group reads or changes a row that another one of it changes, and that nobody
   * needs the rows they return. PostgreSQL then runs them as one, in their order: a round trip is one statement.
   */
  readonly isIndependent?: boolean;
}

export interface Store {
  readonly kind: 'sqlite' | 'postgres';
  /** Typed queries. On SQLite, selects run on reader threads and everything else on the writer thread. */
  readonly db: Kysely<Tables>;
  /**
   * Runs the statements as one all-or-nothing group. A guard that does not hold is a result; everything else
   * that goes wrong rejects with a `StoreError` and leaves nothing behind.
   */
  commit<Reason extends string>(
    group: readonly Statement<Reason>[],
    options?: CommitOptions,
  ): Promise<CommitResult<Reason>>;
  /** Waits for what was accepted, then frees threads, connections and the server lock. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Makes a statement of a group from SQL with `?` placeholders (constant text: it is prepared once). The text
 * must hold no literal question mark.
 */
export function statement<Reason extends string = never>(
  sql: string,
  parameters: readonly unknown[],
  guard?: Guard<Reason>,
): Statement<Reason> {
  return guard === undefined ? { sql, parameters } : { sql, parameters, guard };
}
