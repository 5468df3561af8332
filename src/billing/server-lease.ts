/**
 * Holds belong to the server process that runs their turns. A process keeps a lease in the database; when it was
 * killed the lease ends, and the money its turns had reserved is given back by whoever notices first.
 */

import { type Store, statement } from '../store/store.ts';
import { noUsage, recordUsage } from '../usage/record-usage.ts';
import { giveBackHold } from './hold-statements.ts';
import { releaseExpiredResourceHolds } from './resource-holds.ts';

const leaseMs = 30_000;
const renewalMs = 10_000;

export interface ServerLeaseOptions {
  readonly serverId: string;
  /** Milliseconds since 1970. Replicas' clocks must agree to within some seconds. */
  readonly now: () => number;
  /** Told when a renewal, a sweep or `tend` failed; the next one tries again. */
  readonly onError: (error: unknown) => void;
  /** Further care that must happen again and again while the lease is held. */
  readonly tend: () => Promise<void>;
}

export interface ServerLease {
  /** Ends the lease, or leaves it to end by itself where the database is away. Turns must have ended before. */
  close(): Promise<void>;
}

/** Takes the lease, gives back what dead processes held, and goes on doing both until `close`. */
export async function openServerLease(store: Store, options: ServerLeaseOptions): Promise<ServerLease> {
  if (store.kind === 'sqlite') {
    // The data folder is ours alone, so whatever lease another process left is void at once.
    await store.commit([statement('delete from server_leases', [])]);
  }
  const sweep = async (): Promise<void> => {
    await renewLease(store, options);
    await releaseOrphans(store, options.now());
    await releaseExpiredResourceHolds(store, options.now());
  };
  await sweep();
  let tending: Promise<void> = Promise.resolve();
  const tend = async (): Promise<void> => {
    try {
      await sweep();
      await options.tend();
    } catch (thrown) {
      options.onError(thrown);
    }
  };
  const timer = setInterval(() => {
    tending = tend();
  }, renewalMs);
  timer.unref();
  return {
    close: async () => {
      clearInterval(timer);
      await tending;
      const end = statement('delete from server_leases where server_id = ?', [options.serverId]);
      await store.commit([end]).catch(options.onError);
    },
  };
}

async function renewLease(store: Store, { serverId, now }: ServerLeaseOptions): Promise<void> {
  await store.commit([
    statement(
      `insert into server_leases (server_id, expires_at) values (?, ?)
       on conflict (server_id) do update set expires_at = excluded.expires_at`,
      [serverId, now() + leaseMs],
    ),
    // Not its owner's business any more, and the sweep treats a missing lease as an ended one.
    statement('delete from server_leases where expires_at < ?', [now() - leaseMs]),
  ]);
}

/** Gives back the holds of processes whose lease has ended, each with a failed usage row. Returns how many. */
export async function releaseOrphans(store: Store, now: number): Promise<number> {
  const orphans = await store.db
    .selectFrom('holds')
    .innerJoin('api_keys', 'api_keys.id', 'holds.key_id')
    .leftJoin('server_leases', 'server_leases.server_id', 'holds.server_id')
    .selectAll('holds')
    .select('api_keys.kind as key_kind')
    .where((where) =>
      where.or([where('server_leases.expires_at', 'is', null), where('server_leases.expires_at', '<=', now)]),
    )
    .execute();
  const released = await Promise.all(
    orphans.map(async (orphan) => {
      const hold = {
        inferenceId: orphan.inference_id,
        accountId: orphan.account_id,
        keyId: orphan.key_id,
        amountNanoUsd: orphan.amount_nano_usd,
      };
      // Refused when another replica was quicker: then there is nothing left to do.
      const { isCommitted } = await store.commit([
        ...giveBackHold(hold),
        ...recordUsage({
          ...hold,
          modelId: orphan.model_id,
          priceId: null,
          // Sessions ask with their account's hidden key, and with no other.
          origin: orphan.key_kind === 'playground' ? 'playground' : 'api',
          status: 'failed',
          errorCode: 'internal_error',
          isClientLeft: false,
          ...noUsage,
          costNanoUsd: 0n,
          clientRequestId: null,
          timeToFirstTokenMs: null,
          durationMs: Math.max(0, now - orphan.created_at),
          createdAt: orphan.created_at,
        }),
      ]);
      return isCommitted;
    }),
  );
  return released.filter(Boolean).length;
}
