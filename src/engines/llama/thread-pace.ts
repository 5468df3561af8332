/**
 * How many threads a decode uses. llama.cpp's threads wait for each other hundreds of times per token by spinning; on
 * a machine whose cores are busy with something else, more threads make a token ten times slower, not faster. So
 * the share of the cores that the threads really got is watched, and their number follows it.
 */
export interface ThreadPace {
  /** Threads for the next decode, of so many tokens. */
  next(batchTokens: number): number;
  /** What the decode took: elapsed time, and CPU time of the whole process. */
  record(elapsedMs: number, cpuMs: number): void;
}

/** Below this share of the asked-for CPU time, threads wait for a core. */
const starvedShare = 0.75;
/** From this share on, a probe with more threads has succeeded. */
const ampleShare = 0.9;
/** A decode of this length is judged by itself; shorter ones count less. */
const tellingMs = 100;
/** A probe on a busy machine is slow, so only short decodes probe. */
const probeTokensMax = 32;
const probeMsMin = 2_000;
const probeMsMax = 60_000;
/** Shorter decodes are too short for the clock of CPU time. */
const measurableMs = 2;

export function createThreadPace(threadsMax: number, now: () => number): ThreadPace {
  let threads = threadsMax;
  let share = 1;
  let probeMs = probeMsMin;
  let nextProbeAt = Number.POSITIVE_INFINITY;
  let isProbing = false;

  const settle = (value: number): void => {
    threads = value;
    share = 1;
    nextProbeAt = now() + probeMs;
  };

  return {
    next(batchTokens) {
      isProbing = threads < threadsMax && now() >= nextProbeAt && batchTokens <= probeTokensMax;
      return isProbing ? Math.min(threadsMax, threads * 2) : threads;
    },
    record(elapsedMs, cpuMs) {
      if (threadsMax === 1 || elapsedMs < measurableMs) return;
      if (isProbing) {
        const probed = Math.min(threadsMax, threads * 2);
        const hasSucceeded = cpuMs / (elapsedMs * probed) >= ampleShare;
        probeMs = hasSucceeded ? probeMsMin : Math.min(probeMsMax, probeMs * 2);
        settle(hasSucceeded ? probed : threads);
        return;
      }
      const weight = Math.min(1, elapsedMs / tellingMs);
      share += weight * (Math.min(1, cpuMs / (elapsedMs * threads)) - share);
      if (share < starvedShare && threads > 1) settle(Math.ceil(threads / 2));
    },
  };
}
