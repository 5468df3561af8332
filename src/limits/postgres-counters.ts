/** Counters in PostgreSQL: the truth of the server processes that share it. The functions are in 0007-limits.ts. */
import { type Store, statement } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { decodeTakeAnswer, type LimitCounters, leaseMs } from './limit-counters.ts';

const takeSql = 'select take_rate_limits(?, ?, ?, ?, ?, ?, ?, ?, ?) as answer';
const correctSql = 'select correct_rate_limits(?, ?, ?, ?, ?, ?) as is_done';
const renewSql = 'select renew_limit_leases(?, ?, ?, ?) as is_done';

/** `now` in milliseconds since 1970; by default the database's own clock, which all processes share. */
export function createPostgresCounters(store: Pick<Store, 'commit'>, now?: () => number): LimitCounters {
  // Not worth a disk sync: what a power cut loses are the last moments of a minute.
  const run = async (sql: string, parameters: readonly unknown[]): Promise<unknown> => {
    const result = await store.commit([statement(sql, parameters)], { durability: 'lazy' });
    return result.isCommitted ? result.results[0]?.rows[0]?.answer : undefined;
  };
  return {
    take: async ({ accountId, turnId, meters, seeds }) => {
      const answer = await run(takeSql, [
        accountId,
        now?.() ?? null,
        turnId,
        leaseMs,
        meters.map(({ name }) => name),
        meters.map(({ kind }) => kind),
        meters.map(({ limit }) => limit),
        meters.map(({ amount }) => amount),
        meters.map(({ name }) => seeds?.get(name) ?? -1),
      ]);
      if (!Array.isArray(answer)) {
        throw new StoreError('other', 'PostgreSQL gave no answer about rate limits.');
      }
      return decodeTakeAnswer(answer.map(Number));
    },
    correct: async ({ accountId, turnId, receipt, changes }) => {
      await run(correctSql, [
        accountId,
        receipt.second,
        turnId,
        changes.map(({ name }) => name),
        changes.map(({ kind }) => kind),
        changes.map(({ change }) => change),
      ]);
    },
    renew: async (leases) => {
      const rows = leases.flatMap(({ turnId, names }) => names.map((name) => ({ name, turnId })));
      await run(renewSql, [
        now?.() ?? null,
        leaseMs,
        rows.map(({ name }) => name),
        rows.map(({ turnId }) => turnId),
      ]);
    },
    close: async () => undefined,
  };
}
