import { type LimitMeter, type MeterKind, windowSeconds } from './limit-counters.ts';

/** What this process has booked in one place and that place alone knows: carried over when the place is lost. */
export interface BookedAmounts {
  add(booking: {
    readonly accountId: number;
    readonly name: string;
    readonly kind: MeterKind;
    /** Of the receipt. */
    readonly second: number;
    readonly change: number;
  }): void;
  /** What still counts, by account, and forgets it. As meters that refuse nothing. */
  takeAll(second: number): ReadonlyMap<number, readonly LimitMeter[]>;
}

interface Booked {
  readonly accountId: number;
  readonly kind: MeterKind;
  /** By second, or by day. */
  readonly counts: Map<number, number>;
}

const secondsPerDay = 86_400;
/** Meters that are kept before the stale ones are looked for. */
const metersMax = 10_000;

export function createBookedAmounts(): BookedAmounts {
  let booked = new Map<string, Booked>();
  return {
    add: ({ accountId, name, kind, second, change }) => {
      if (kind === 'lease') return;
      const known = booked.get(name) ?? { accountId, kind, counts: new Map<number, number>() };
      if (known.counts.size === 0) {
        if (booked.size >= metersMax) forgetStale(booked, second);
        booked.set(name, known);
      }
      const step = kind === 'day' ? Math.floor(second / secondsPerDay) : second;
      known.counts.set(step, (known.counts.get(step) ?? 0) + change);
      prune(known, second);
    },
    takeAll: (second) => {
      const byAccount = new Map<number, LimitMeter[]>();
      for (const [name, each] of booked) {
        prune(each, second);
        const amount = [...each.counts.values()].reduce((sum, count) => sum + count, 0);
        if (amount <= 0) continue;
        const meters = byAccount.get(each.accountId) ?? [];
        meters.push({ name, kind: each.kind, limit: Number.MAX_SAFE_INTEGER, amount });
        byAccount.set(each.accountId, meters);
      }
      booked = new Map();
      return byAccount;
    },
  };
}

function prune({ kind, counts }: Booked, second: number): void {
  const oldest = kind === 'day' ? Math.floor(second / secondsPerDay) : second - windowSeconds + 1;
  for (const step of counts.keys()) {
    // In the order in which they came.
    if (step >= oldest) break;
    counts.delete(step);
  }
}

function forgetStale(booked: Map<string, Booked>, second: number): void {
  for (const [name, each] of booked) {
    prune(each, second);
    if (each.counts.size === 0) booked.delete(name);
  }
}
