/**
 * Redis in front, the truth behind it. When Redis does not answer, the same check is made at once where it can be
 * made (PostgreSQL, or this process's memory), and so is every later one, until Redis answers again. No request
 * fails because Redis is away, and none passes unchecked.
 */
import { createBookedAmounts } from './booked-amounts.ts';
import type {
  Lease,
  LimitCorrection,
  LimitCounters,
  LimitMeter,
  LimitTake,
  Receipt,
  TakeAnswer,
} from './limit-counters.ts';
import type { RedisCounters } from './redis-counters.ts';

export interface SharedCountersOptions {
  readonly redis: RedisCounters;
  readonly truth: LimitCounters;
  /** Told of each change; `error` is what Redis was left for. */
  readonly onChange?: (change: { readonly isRedisUsed: boolean; readonly error?: unknown }) => void;
  /** How often a lost Redis is asked whether it is back, in milliseconds. */
  readonly probeMs?: number;
}

export interface SharedCounters extends LimitCounters {
  /** Resolves when Redis is used, or after `openingMs` without it: a server that listens earlier would count apart. */
  opened(): Promise<void>;
  isRedisUsed(): boolean;
}

type Place = 'redis' | 'truth';

const placeOf = ({ place }: Receipt): Place | undefined =>
  place === 'redis' || place === 'truth' ? place : undefined;

interface OpenLease {
  readonly lease: Lease;
  /** Where it is counted: more than one place when Redis came or went while the turn ran. */
  readonly places: Set<Place>;
}

const probeMsDefault = 500;
const openingMs = 2_000;
const openingProbeMs = 20;
/** Corrections kept for a Redis that is away. What they correct has mostly left its minute when it is back. */
const lateCorrectionsMax = 10_000;

/** Uses the truth until Redis has answered once. */
export function createSharedCounters(options: SharedCountersOptions): SharedCounters {
  return new RedisBeforeTruth(options);
}

class RedisBeforeTruth implements SharedCounters {
  readonly #counters: { readonly redis: RedisCounters; readonly truth: LimitCounters };
  readonly #onChange: SharedCountersOptions['onChange'];
  readonly #probe: NodeJS.Timeout;
  /** Turns of this process that run: whoever takes over must count them. */
  readonly #leases = new Map<string, OpenLease>();
  readonly #lateCorrections: LimitCorrection[] = [];
  readonly #booked = { redis: createBookedAmounts(), truth: createBookedAmounts() };
  #latestSecond = 0;
  #current: Place = 'truth';
  /** Resolved when the current place counts the running turns. Never rejects. */
  #handover: Promise<void> = Promise.resolve();
  #probing: Promise<void> | undefined;
  #isClosed = false;

  constructor({ redis, truth, onChange, probeMs = probeMsDefault }: SharedCountersOptions) {
    this.#counters = { redis, truth };
    this.#onChange = onChange;
    const probe = (): void => {
      this.#probing ??= this.#returnToRedis().finally(() => {
        this.#probing = undefined;
      });
    };
    this.#probe = setInterval(probe, probeMs);
    this.#probe.unref();
    probe();
  }

  async opened(): Promise<void> {
    const deadline = performance.now() + openingMs;
    while (!this.isRedisUsed() && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, openingProbeMs));
      await this.#returnToRedis();
    }
  }

  isRedisUsed(): boolean {
    return this.#current === 'redis';
  }

  async take(take: LimitTake): Promise<TakeAnswer> {
    const { place, answer } = await this.#takeSomewhere(take);
    if (answer.type !== 'taken') return answer;
    this.#remember(place, { ...take, second: answer.receipt.second });
    const names = take.meters.filter(({ kind }) => kind === 'lease').map(({ name }) => name);
    if (names.length > 0) {
      const open: OpenLease = {
        lease: { accountId: take.accountId, turnId: take.turnId, names },
        places: new Set([place]),
      };
      this.#leases.set(take.turnId, open);
      // The place changed while this was under way, so the handover has missed it.
      if (place !== this.#current) await this.#handOver([open]);
    }
    return { ...answer, receipt: { ...answer.receipt, place } };
  }

  async correct(correction: LimitCorrection): Promise<void> {
    const { receipt, changes, turnId } = correction;
    // Without a place it corrects no taking but a renewal, which was made where it is counted now.
    const booked = placeOf(receipt) ?? this.#current;
    const leaseChanges = changes.filter(({ kind }) => kind === 'lease');
    const open = this.#leases.get(turnId);
    if (leaseChanges.length > 0) this.#leases.delete(turnId);
    const meters = changes.map(({ change: amount, ...meter }) => ({ ...meter, amount }));
    this.#remember(booked, { accountId: correction.accountId, meters, second: receipt.second });
    await this.#correctAt(booked, correction);
    for (const place of leaseChanges.length === 0 ? [] : (open?.places ?? [])) {
      if (place !== booked) await this.#correctAt(place, { ...correction, changes: leaseChanges });
    }
  }

  async renew(leases: readonly Lease[]): Promise<void> {
    if (this.#current === 'redis') {
      try {
        return await this.#counters.redis.renew(leases);
      } catch (thrown) {
        this.#leaveRedis(thrown);
      }
    }
    await this.#counters.truth.renew(leases);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#probe);
    await this.#probing;
    await this.#counters.redis.close();
    await this.#counters.truth.close();
  }

  async #takeSomewhere(take: LimitTake): Promise<{ readonly place: Place; readonly answer: TakeAnswer }> {
    await this.#handover;
    if (this.#current === 'redis') {
      try {
        return { place: 'redis', answer: await this.#counters.redis.take(take) };
      } catch (thrown) {
        this.#leaveRedis(thrown);
        await this.#handover;
      }
    }
    return { place: 'truth', answer: await this.#counters.truth.take(take) };
  }

  async #correctAt(place: Place, correction: LimitCorrection): Promise<void> {
    if (place === 'truth') return await this.#counters.truth.correct(correction);
    if (this.#current === 'redis') {
      try {
        return await this.#counters.redis.correct(correction);
      } catch (thrown) {
        this.#leaveRedis(thrown);
      }
    }
    if (this.#lateCorrections.length < lateCorrectionsMax) this.#lateCorrections.push(correction);
  }

  #leaveRedis(error: unknown): void {
    if (this.#current === 'truth') return;
    this.#current = 'truth';
    this.#handover = this.#handOver([...this.#leases.values()]);
    void this.#carryOver('redis', this.#counters.truth);
    this.#onChange?.({ isRedisUsed: false, error });
  }

  async #returnToRedis(): Promise<void> {
    if (this.#current === 'redis' || this.#isClosed) return;
    const { redis } = this.#counters;
    if (!(await redis.isAnswering()) || this.isRedisUsed()) return;
    try {
      // One that fails is not repeated, as it may have been booked all the same; those behind it are kept.
      for (
        let late = this.#lateCorrections.shift();
        late !== undefined;
        late = this.#lateCorrections.shift()
      ) {
        await redis.correct(late);
      }
    } catch {
      // Lost again; the next probe finds out when it is back.
      return;
    }
    this.#current = 'redis';
    this.#handover = this.#handOver([...this.#leases.values()]);
    void this.#carryOver('truth', redis);
    this.#onChange?.({ isRedisUsed: true });
  }

  #remember(
    place: Place,
    {
      accountId,
      meters,
      second,
    }: Pick<LimitTake, 'accountId'> & {
      readonly meters: readonly Pick<LimitMeter, 'name' | 'kind' | 'amount'>[];
      readonly second: number;
    },
  ): void {
    this.#latestSecond = Math.max(this.#latestSecond, second);
    for (const { name, kind, amount: change } of meters) {
      this.#booked[place].add({ accountId, name, kind, second, change });
    }
  }

  /**
   * Books in the new place what this process has taken in the old one and what still counts, so that a minute does
   * not begin anew. It is booked as if taken now, which is on the safe side. Nobody waits for it.
   */
  async #carryOver(from: Place, to: LimitCounters): Promise<void> {
    const carried = [...this.#booked[from].takeAll(this.#latestSecond)].flatMap(([accountId, meters]) =>
      // A day that is not known there yet is read from the usage log when it is asked for: the answer says so.
      meters.map((meter) => to.take({ accountId, turnId: 'carried-over', meters: [meter] })),
    );
    await Promise.allSettled(carried);
  }

  /** Has the current place count these turns. Where that fails, the next renewal does it. */
  async #handOver(opens: readonly OpenLease[]): Promise<void> {
    const place = this.#current;
    for (const open of opens) open.places.add(place);
    if (opens.length === 0) return;
    await this.#counters[place].renew(opens.map(({ lease }) => lease)).catch(() => undefined);
  }
}
