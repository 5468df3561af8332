import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface EventLoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
  /**
   * The most CPU time that the thread took between two calls of a timer: what its own code held the loop for. A delay
   * has beside it the time in which other threads and processes had the core.
   */
  readonly heldMaxMs: number;
}

const resolutionMs = 1;

/** Watches this process from the call on; the result gives the delays since then and ends the watch. */
export function watchOwnEventLoop(): () => Promise<EventLoopDelay> {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  const stopHeld = watchHeldTime();
  return async () => {
    histogram.disable();
    // The histogram holds the time between two timer calls; what is late is what lies above the timer's own period.
    const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolutionMs);
    return { p99Ms: late(histogram.percentile(99)), maxMs: late(histogram.max), heldMaxMs: stopHeld() };
  };
}

/** The result ends the watch and gives the most milliseconds. */
function watchHeldTime(): () => number {
  const cpuMs = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  };
  let heldMaxMs = 0;
  let before = cpuMs();
  const timer = setInterval(() => {
    const now = cpuMs();
    heldMaxMs = Math.max(heldMaxMs, now - before);
    before = now;
  }, resolutionMs).unref();
  return () => {
    clearInterval(timer);
    return heldMaxMs;
  };
}
