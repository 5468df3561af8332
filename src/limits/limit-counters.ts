/**
 * Rate limits: how much of each was taken, who may take more, and what a refusal says. Here: the interface behind
 * which the counting stands, in memory, in PostgreSQL or in Redis. What the limits are is `limit-administration.ts`;
 * what a turn takes and gives back is `turn-limiter.ts`. Money is not counted here (`billing/`).
 */

/**
 * How a meter counts. `minute`: over any 60 seconds, in steps of whole seconds. `day`: from 00:00 UTC. `lease`:
 * what is held now, by turns that renew it.
 */
export type MeterKind = 'minute' | 'day' | 'lease';

/** One limit, and what a turn wants of it. */
export interface LimitMeter {
  /** Unique within the account, such as `k12:rpm`. */
  readonly name: string;
  readonly kind: MeterKind;
  /** At least 1. */
  readonly limit: number;
  readonly amount: number;
}

export interface LimitTake {
  readonly accountId: number;
  readonly turnId: string;
  /** In the order in which they are to be reported. */
  readonly meters: readonly LimitMeter[];
  /** What was used today of each `day` meter that the counters do not know; undefined = not asked yet. */
  readonly seeds?: ReadonlyMap<string, number> | undefined;
}

/** Where a taking was booked: given back with its correction. */
export interface Receipt {
  /** Seconds since 1970, by the clock of the counters. */
  readonly second: number;
  /** Which of several counters booked it; meant for them alone. */
  readonly place?: string;
}

/** One meter as it stood before the taking. */
export interface MeterReading {
  readonly used: number;
  /** Milliseconds until some of it comes back; 0 when nothing is used. */
  readonly backMs: number;
}

export type TakeAnswer =
  | { readonly type: 'taken'; readonly receipt: Receipt; readonly readings: readonly MeterReading[] }
  /** Nothing was taken. `meter` is the position of the limit that is reached for the longest time. */
  | {
      readonly type: 'refused';
      readonly meter: number;
      readonly waitMs: number;
      readonly readings: readonly MeterReading[];
    }
  /** Nothing was taken, because today's use of this meter is not known: ask again with a seed. */
  | { readonly type: 'seed-missing'; readonly meter: number };

export interface LimitCorrection {
  readonly accountId: number;
  readonly turnId: string;
  readonly receipt: Receipt;
  /** What is added to each meter; a `lease` meter is given back, whatever its change. */
  readonly changes: readonly { readonly name: string; readonly kind: MeterKind; readonly change: number }[];
}

export interface Lease {
  readonly accountId: number;
  readonly turnId: string;
  /** Of its `lease` meters. */
  readonly names: readonly string[];
}

/** Every call is one step for all processes that share the counters, and at most one round trip. */
export interface LimitCounters {
  /** Takes from all meters or from none. Rejects when it cannot be known whether the limits allow it. */
  take(take: LimitTake): Promise<TakeAnswer>;
  /** Corrects what was taken. What has left its minute or day meanwhile is not touched. */
  correct(correction: LimitCorrection): Promise<void>;
  /** Holds these leases for another period; one that had ended is taken again, whatever the limit. */
  renew(leases: readonly Lease[]): Promise<void>;
  close(): Promise<void>;
}

/** A lease that is not renewed ends after this time: how long a killed server's turns count. */
export const leaseMs = 30_000;

/** A second stays in the window until 60 whole seconds lie between its end and now. */
export const windowSeconds = 61;

export const dayMs = 86_400_000;

/**
 * Reads the answer of the scripts in PostgreSQL and Redis: `[refused, waitMs, second, used, backMs, …]`, a pair per
 * meter. `refused` counts from 1; 0 = taken, negative = this meter's day is not known.
 */
export function decodeTakeAnswer(numbers: readonly number[], place?: string): TakeAnswer {
  const [refused = 0, waitMs = 0, second = 0, ...pairs] = numbers;
  if (refused < 0) {
    return { type: 'seed-missing', meter: -refused - 1 };
  }
  const readings = Array.from({ length: pairs.length / 2 }, (_, meter) => ({
    used: pairs[meter * 2] ?? 0,
    backMs: pairs[meter * 2 + 1] ?? 0,
  }));
  return refused > 0
    ? { type: 'refused', meter: refused - 1, waitMs, readings }
    : { type: 'taken', receipt: { second, ...(place !== undefined && { place }) }, readings };
}
