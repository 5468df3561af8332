/** Counters in PostgreSQL: the truth of the server processes that share it. The functions are in 0007-limits.ts. */
import { type Statement, type Store, statement } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { decodeTakeAnswer, type LimitCounters, leaseMs } from './limit-counters.ts';

const takeSql = 'select take_rate_limits(?, ?, ?, ?, ?, ?, ?, ?, ?) as answer';
const correctSql = 'select correct_rate_limits(?, ?, ?, ?, ?, ?) as answer';
const renewSql = 'select renew_limit_leases(?, ?, ?, ?) as answer';

/** `now` in milliseconds since 1970; by default the database's own clock, which all processes share. */
export function createPostgresCounters(store: Pick<Store, 'commit'>, now?: () => number): LimitCounters {
  const runInTurn = createTurnstile(store);
  return {
    take: async ({ accountId, turnId, meters, seeds }) => {
      const answer = await runInTurn(
        accountId,
        statement(takeSql, [
          accountId,
          now?.() ?? null,
          turnId,
          leaseMs,
          meters.map(({ name }) => name),
          meters.map(({ kind }) => kind),
          meters.map(({ limit }) => limit),
          meters.map(({ amount }) => amount),
          meters.map(({ name }) => seeds?.get(name) ?? -1),
        ]),
      );
      if (!Array.isArray(answer)) {
        throw new StoreError('other', 'PostgreSQL gave no answer about rate limits.');
      }
      return decodeTakeAnswer(answer.map(Number));
    },
    correct: async ({ accountId, turnId, receipt, changes }) => {
      await runInTurn(
        accountId,
        statement(correctSql, [
          accountId,
          receipt.second,
          turnId,
          changes.map(({ name }) => name),
          changes.map(({ kind }) => kind),
          changes.map(({ change }) => change),
        ]),
      );
    },
    renew: async (leases) => {
      const rows = leases.flatMap(({ turnId, names }) => names.map((name) => ({ name, turnId })));
      await store.commit(
        [
          statement(renewSql, [
            now?.() ?? null,
            leaseMs,
            rows.map(({ name }) => name),
            rows.map(({ turnId }) => turnId),
          ]),
        ],
        { durability: 'lazy' },
      );
    },
    close: async () => undefined,
  };
}

interface Waiting {
  readonly statement: Statement<never>;
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

/** Statements that leave together at most: the lock of the account is held while they run. */
const groupMax = 100;

/**
 * One group per account at a time; what comes while it runs leaves together in the next. The functions lock the
 * account, and connections that wait for each other there would be a process's whole pool.
 */
function createTurnstile(store: Pick<Store, 'commit'>) {
  const queues = new Map<number, Waiting[]>();

  const runAll = async (accountId: number, queue: Waiting[]): Promise<void> => {
    while (queue.length > 0) {
      const group = queue.splice(0, groupMax);
      try {
        // Not worth a disk sync: what a power cut loses are the last moments of a minute.
        const committed = await store.commit(
          group.map((each) => each.statement),
          { durability: 'lazy' },
        );
        for (const [position, { resolve }] of group.entries()) {
          resolve(committed.isCommitted ? committed.results[position]?.rows[0]?.answer : undefined);
        }
      } catch (thrown) {
        for (const { reject } of group) reject(thrown);
      }
    }
    queues.delete(accountId);
  };

  return (accountId: number, statementToRun: Statement<never>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const waiting: Waiting = { statement: statementToRun, resolve, reject };
      const queue = queues.get(accountId);
      if (queue !== undefined) {
        queue.push(waiting);
        return;
      }
      const made = [waiting];
      queues.set(accountId, made);
      void runAll(accountId, made);
    });
}
