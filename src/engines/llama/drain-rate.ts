/** How fast the engine gets generations done, for an honest `Retry-After`. */
export interface DrainRate {
  /** A generation has ended, however. */
  recordEnd(): void;
  /** Whole seconds, 1 to 60, until `queued` generations will have been started. */
  estimateSeconds(queued: number): number;
}

const windowMs = 60_000;
const endsKept = 64;
/** Said before anything has ended. */
const secondsUnknown = 5;

export function createDrainRate(now: () => number): DrainRate {
  const ends: number[] = [];
  return {
    recordEnd() {
      ends.push(now());
      if (ends.length > endsKept) ends.shift();
    },
    estimateSeconds(queued) {
      while ((ends[0] ?? Number.POSITIVE_INFINITY) < now() - windowMs) ends.shift();
      const first = ends[0];
      if (first === undefined) return secondsUnknown;
      // The time since the first end counts too, so that an engine that stands still looks slower and slower.
      const msPerEnd = Math.max(1, now() - first) / ends.length;
      return Math.min(60, Math.max(1, Math.ceil((queued * msPerEnd) / 1000)));
    },
  };
}
