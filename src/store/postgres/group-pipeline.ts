import type pg from 'pg';
import { type StoreError, toStoreError } from '../store-error.ts';

/** A connection, and how many groups are on their way through it. */
interface Lease {
  readonly client: Promise<pg.PoolClient>;
  runningCount: number;
  broken: StoreError | undefined;
}

/**
 * One connection for all groups that are one statement each. They leave as they come, without waiting for each
 * other's answers, and the server runs them in that order, each as its own transaction. On several connections the
 * turns of one account would queue for the lock of its balance, and waking them up costs more than their work does:
 * 32 turns at a time ran at a third of this rate (docs/decisions/0026).
 */
export class GroupPipeline {
  readonly #pool: pg.Pool;
  #current: Lease | undefined;

  /** A pool of one connection that nobody else uses. */
  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** `work` must send its one statement before it awaits anything. Rejects with a `StoreError`. */
  async run<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    this.#current ??= { client: this.#pool.connect(), runningCount: 0, broken: undefined };
    const lease = this.#current;
    lease.runningCount += 1;
    try {
      return await work(await lease.client);
    } catch (thrown) {
      const error = toStoreError(thrown, 'postgres');
      if (isConnectionLost(error)) {
        lease.broken = error;
        this.#forget(lease);
      }
      throw error;
    } finally {
      lease.runningCount -= 1;
      if (lease.runningCount === 0) {
        this.#forget(lease);
        // Who could not connect has heard of it, and has nothing to give back.
        lease.client.then(
          (client) => client.release(lease.broken),
          () => undefined,
        );
      }
    }
  }

  /** Whoever comes next takes a new connection. */
  #forget(lease: Lease): void {
    if (this.#current === lease) this.#current = undefined;
  }
}

/** A connection in an unknown state must not be used again. */
export function isConnectionLost(error: StoreError): boolean {
  return error.kind === 'unavailable' || error.kind === 'other';
}
