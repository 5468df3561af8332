/** How statements of a group become PostgreSQL's. */

/** Raised by `require_rows` and `require_rows_of`. */
export const guardFailedCode = 'PGRD1';

/** `?` → `$1`, `$2`, …; a compiled Kysely query has its numbers already. */
export function numberPlaceholders(sql: string): string {
  let position = 0;
  return sql.replaceAll('?', () => `$${++position}`);
}

export function returnsRows(sql: string): boolean {
  return /^\s*select\b|\breturning\b/i.test(sql);
}
