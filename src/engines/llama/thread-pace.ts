/**
 * How many threads a decode uses. llama.cpp's threads wait for each other hundreds of times per token by spinning; on
 * a machine whose cores are busy with something else, more threads make a token ten times slower, not faster. So
 * the share of the cores that the threads really got is watched, and their number follows it.
 */
import { cpus } from 'node:os';

export interface ThreadPace {
  /** Called right before a decode. @returns threads for it */
  begin(): number;
  /** Called right after it. */
  end(): void;
}

/** What the pace reads of the machine. */
export interface MachineClock {
  /** Milliseconds since any fixed moment. */
  now(): number;
  /** Milliseconds that the cores have been idle, all together, since any fixed moment. */
  idleMs(): number;
  /** Milliseconds of CPU time of the whole process. */
  cpuMs(): number;
}

export const machineClock: MachineClock = {
  now: () => performance.now(),
  idleMs: () => cpus().reduce((total, { times }) => total + times.idle, 0),
  cpuMs() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
};

/** Below this share of the asked-for CPU time, threads wait for a core. */
const starvedShare = 0.75;
/** Threads come back when this share of the cores that they would take has been idle. */
const idleShare = 0.7;
/** What is measured for so long counts as much as all that went before; less counts less. */
const tellingMs = 100;
const weightMax = 0.5;
/** Decodes are measured together until they took so long: asking for the CPU time takes 0.2 ms while threads compute. */
const measuredMs = 50;
/** After a longer pause what went before is not measured together with what follows. */
const pauseMsMax = 2;
/** How long idle cores are watched before they are taken; twice as long each time that was too early. */
const watchMsMin = 250;
const watchMsMax = 30_000;
/** Threads that starve so soon after they came back should not have: idle cores are out of reach, as under a quota. */
const soonMs = 2_000;

/**
 * Idle cores are looked at, not probed: a decode with a thread too many can take a second, and after one unlucky
 * probe a quiet machine would go on with half its cores.
 */
export function createThreadPace(threadsMax: number, clock: MachineClock = machineClock): ThreadPace {
  let threads = threadsMax;
  let share = 1;
  let watchMs = watchMsMin;
  let watchedFrom = { at: 0, idleMs: 0 };
  let raisedAt = Number.NEGATIVE_INFINITY;
  let measuredFrom: { readonly at: number; readonly cpuMs: number } | undefined;
  let endedAt = 0;

  const watch = (): void => {
    watchedFrom = { at: clock.now(), idleMs: clock.idleMs() };
  };
  const lower = (): void => {
    watchMs = clock.now() - raisedAt < soonMs ? Math.min(watchMsMax, watchMs * 2) : watchMsMin;
    threads = Math.ceil(threads / 2);
    share = 1;
    measuredFrom = undefined;
    watch();
  };
  const raiseWhenIdle = (): void => {
    const elapsedMs = clock.now() - watchedFrom.at;
    if (elapsedMs < watchMs) return;
    const wanted = Math.min(threadsMax, threads * 2);
    const idleCores = (clock.idleMs() - watchedFrom.idleMs) / elapsedMs;
    if (idleCores >= (wanted - threads) * idleShare) {
      threads = wanted;
      raisedAt = clock.now();
      measuredFrom = undefined;
    }
    watch();
  };

  const record = (elapsedMs: number, cpuMs: number): void => {
    const weight = weightMax * Math.min(1, elapsedMs / tellingMs);
    share += weight * (Math.min(1, cpuMs / (elapsedMs * threads)) - share);
    if (share < starvedShare) lower();
  };

  return {
    begin() {
      if (threads < threadsMax) raiseWhenIdle();
      if (threads === 1) measuredFrom = undefined;
      else if (measuredFrom === undefined || clock.now() - endedAt > pauseMsMax)
        measuredFrom = { at: clock.now(), cpuMs: clock.cpuMs() };
      return threads;
    },
    end() {
      endedAt = clock.now();
      if (measuredFrom === undefined || endedAt - measuredFrom.at < measuredMs) return;
      const now = { at: endedAt, cpuMs: clock.cpuMs() };
      const { at, cpuMs } = measuredFrom;
      measuredFrom = now;
      record(now.at - at, now.cpuMs - cpuMs);
    },
  };
}
