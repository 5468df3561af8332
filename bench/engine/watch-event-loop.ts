import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface EventLoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

const resolutionMs = 1;

/** Watches this process from the call on; the result gives the delays since then and ends the watch. */
export function watchOwnEventLoop(): () => Promise<EventLoopDelay> {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  return async () => {
    histogram.disable();
    // The histogram holds the time between two timer calls; what is late is what lies above the timer's own period.
    const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolutionMs);
    return { p99Ms: late(histogram.percentile(99)), maxMs: late(histogram.max) };
  };
}
