/** Counters of one process: for SQLite, whose data folder belongs to one server. */
import {
  dayMs,
  type LimitCorrection,
  type LimitCounters,
  type LimitMeter,
  type LimitTake,
  leaseMs,
  type MeterReading,
  type TakeAnswer,
  windowSeconds,
} from './limit-counters.ts';

interface Day {
  readonly day: number;
  used: number;
}

interface Books {
  /** Counts by second, oldest first. */
  readonly minutes: Map<string, Map<number, number>>;
  readonly days: Map<string, Day>;
  /** Ends of leases by turn, in milliseconds. */
  readonly leases: Map<string, Map<string, number>>;
}

interface Assessment extends MeterReading {
  /** Undefined: the amount fits. */
  readonly waitMs: number | undefined;
}

/** Meters that nobody touched are forgotten this often. */
const sweepMs = 60_000;

/** `now` in milliseconds since 1970. */
export function createMemoryCounters(now: () => number = Date.now): LimitCounters {
  const books: Books = { minutes: new Map(), days: new Map(), leases: new Map() };
  let sweptAt = now();
  return {
    take: async (take) => {
      const at = now();
      if (at - sweptAt >= sweepMs) {
        sweptAt = at;
        sweep(books, at);
      }
      return takeAll(books, take, at);
    },
    correct: async (correction) => correct(books, correction),
    renew: async (leases) => {
      for (const { turnId, names } of leases) {
        for (const name of names) entryOf(books.leases, name).set(turnId, now() + leaseMs);
      }
    },
    close: async () => undefined,
  };
}

function takeAll(books: Books, take: LimitTake, at: number): TakeAnswer {
  const assessed: Assessment[] = [];
  for (const [position, meter] of take.meters.entries()) {
    const assessment = assess(books, meter, { at, seed: take.seeds?.get(meter.name) });
    if (assessment === undefined) return { type: 'seed-missing', meter: position };
    assessed.push(assessment);
  }
  const readings = assessed.map(({ used, backMs }) => ({ used, backMs }));
  const waitMs = Math.max(...assessed.map((each) => each.waitMs ?? -1));
  if (waitMs >= 0) {
    return { type: 'refused', meter: assessed.findIndex((each) => each.waitMs === waitMs), waitMs, readings };
  }
  for (const [position, meter] of take.meters.entries()) {
    book(books, meter, { turnId: take.turnId, at, used: readings[position]?.used ?? 0 });
  }
  return { type: 'taken', receipt: { second: Math.floor(at / 1000) }, readings };
}

/** Undefined: the day's use is not known. */
function assess(
  books: Books,
  { name, kind, limit, amount }: LimitMeter,
  { at, seed }: { readonly at: number; readonly seed: number | undefined },
): Assessment | undefined {
  if (kind === 'minute') {
    const counts = books.minutes.get(name);
    return counts === undefined
      ? judge({ used: 0, backMs: 0 }, limit - amount, () => windowSeconds * 1000)
      : assessMinute(counts, limit - amount, at);
  }
  if (kind === 'day') {
    const day = Math.floor(at / dayMs);
    const known = books.days.get(name);
    const used = known?.day === day ? known.used : seed;
    const backMs = (day + 1) * dayMs - at;
    return used === undefined ? undefined : judge({ used, backMs }, limit - amount, () => backMs);
  }
  const leases = books.leases.get(name);
  for (const [turnId, endsAt] of leases ?? []) {
    if (endsAt <= at) leases?.delete(turnId);
  }
  return judge({ used: leases?.size ?? 0, backMs: 0 }, limit - amount, () => 1000);
}

function assessMinute(counts: Map<number, number>, usedMax: number, at: number): Assessment {
  const oldest = Math.floor(at / 1000) - windowSeconds;
  const leavesInMs = (second: number): number => (second + windowSeconds) * 1000 - at;
  let used = 0;
  let backMs = 0;
  for (const [second, count] of counts) {
    if (second <= oldest) counts.delete(second);
    else if (count > 0) {
      used += count;
      if (backMs === 0) backMs = leavesInMs(second);
    }
  }
  return judge({ used, backMs }, usedMax, () => {
    let left = used;
    for (const [second, count] of counts) {
      left -= count;
      if (left <= usedMax) return leavesInMs(second);
    }
    return windowSeconds * 1000;
  });
}

function judge(reading: MeterReading, usedMax: number, findWaitMs: () => number): Assessment {
  return { ...reading, waitMs: reading.used > usedMax ? findWaitMs() : undefined };
}

function book(
  books: Books,
  { name, kind, amount }: LimitMeter,
  { turnId, at, used }: { readonly turnId: string; readonly at: number; readonly used: number },
): void {
  if (kind === 'minute') {
    const counts = entryOf(books.minutes, name);
    const second = Math.floor(at / 1000);
    counts.set(second, (counts.get(second) ?? 0) + amount);
  } else if (kind === 'day') {
    books.days.set(name, { day: Math.floor(at / dayMs), used: used + amount });
  } else {
    entryOf(books.leases, name).set(turnId, at + leaseMs);
  }
}

function correct(books: Books, { turnId, receipt: { second }, changes }: LimitCorrection): void {
  for (const { name, kind, change } of changes) {
    if (kind === 'minute') {
      const counts = books.minutes.get(name);
      const count = counts?.get(second);
      if (count !== undefined) counts?.set(second, count + change);
    } else if (kind === 'day') {
      const day = books.days.get(name);
      if (day?.day === Math.floor((second * 1000) / dayMs)) day.used += change;
    } else {
      books.leases.get(name)?.delete(turnId);
    }
  }
}

function entryOf<Value>(maps: Map<string, Map<string, Value>>, name: string): Map<string, Value>;
function entryOf<Value>(maps: Map<string, Map<number, Value>>, name: string): Map<number, Value>;
function entryOf(maps: Map<string, Map<unknown, unknown>>, name: string): Map<unknown, unknown> {
  const known = maps.get(name);
  if (known !== undefined) return known;
  const made = new Map<unknown, unknown>();
  maps.set(name, made);
  return made;
}

function sweep(books: Books, at: number): void {
  const oldest = Math.floor(at / 1000) - windowSeconds;
  for (const [name, counts] of books.minutes) {
    if ([...counts.keys()].every((second) => second <= oldest)) books.minutes.delete(name);
  }
  const day = Math.floor(at / dayMs);
  for (const [name, known] of books.days) {
    if (known.day < day) books.days.delete(name);
  }
  for (const [name, leases] of books.leases) {
    if ([...leases.values()].every((endsAt) => endsAt <= at)) books.leases.delete(name);
  }
}
