/**
 * Requests that were refused before any work (no money, too fast, too long, no model): rows of the log like all others,
 * but few of them, because a refusal costs a caller nothing and a row costs us disk for ever.
 */
import type { Caller } from '../chat/types.ts';
import type { ErrorCode } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { noUsage, recordUsage } from './record-usage.ts';

/** Rows per key and minute: enough to see what goes wrong, and how long. */
const rowsPerKeyMax = 20;
/** Over all keys: keys cost nothing either. */
const rowsMax = 1_000;
const minuteMs = 60_000;

export interface Refusal {
  readonly caller: Caller;
  readonly inferenceId: string;
  readonly clientRequestId: string | undefined;
  /** Canonical id. */
  readonly modelId: string;
  readonly errorCode: ErrorCode;
  readonly durationMs: number;
}

export interface RefusalLog {
  /** Returns at once; the row is written behind the answer. */
  record(refusal: Refusal): void;
}

export interface RefusalLogOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told when a row could not be written; it is lost then. */
  readonly onError: (error: unknown) => void;
}

export function createRefusalLog(store: Store, { now, onError }: RefusalLogOptions): RefusalLog {
  let minute = Number.NaN;
  let rowCount = 0;
  const countByKey = new Map<number, number>();
  return {
    record: ({ caller, clientRequestId, ...refusal }) => {
      const createdAt = now();
      const current = Math.floor(createdAt / minuteMs);
      if (current !== minute) {
        minute = current;
        rowCount = 0;
        countByKey.clear();
      }
      const keyCount = countByKey.get(caller.keyId) ?? 0;
      if (keyCount >= rowsPerKeyMax || rowCount >= rowsMax) return;
      countByKey.set(caller.keyId, keyCount + 1);
      rowCount += 1;
      const rows = recordUsage({
        ...noUsage,
        ...refusal,
        accountId: caller.accountId,
        keyId: caller.keyId,
        origin: caller.origin,
        priceId: null,
        status: 'failed',
        isClientLeft: false,
        costNanoUsd: 0n,
        clientRequestId: clientRequestId ?? null,
        timeToFirstTokenMs: null,
        createdAt,
      });
      store.commit(rows, { durability: 'lazy' }).catch(onError);
    },
  };
}
