/**
 * Inputs that were being worked on when the engine's process crashed. After the first crash an input is suspected and
 * runs alone, so that the second one accuses nobody else; after a crash alone it is refused.
 */
export interface PoisonList {
  /** Notes an input that was in work when the process ended, alone or among others. */
  suspect(fingerprint: string, wasAlone: boolean): void;
  /** The input came through, so it was not the cause. */
  clear(fingerprint: string): void;
  isSuspected(fingerprint: string): boolean;
  isPoisoned(fingerprint: string): boolean;
  readonly isEmpty: boolean;
}

const crashesMax = 2;
const suspicionMs = 10 * 60_000;

export function createPoisonList(now: () => number): PoisonList {
  const suspicions = new Map<string, { crashes: number; until: number }>();
  const countCrashes = (fingerprint: string): number => {
    for (const [known, { until }] of suspicions) if (until <= now()) suspicions.delete(known);
    return suspicions.get(fingerprint)?.crashes ?? 0;
  };
  return {
    get isEmpty() {
      return suspicions.size === 0;
    },
    suspect(fingerprint, wasAlone) {
      const known = countCrashes(fingerprint);
      // Among others it is no worse than suspected, however often: any of them may be the cause.
      const crashes = wasAlone ? known + 1 : Math.max(known, 1);
      suspicions.set(fingerprint, { crashes, until: now() + suspicionMs });
    },
    clear(fingerprint) {
      suspicions.delete(fingerprint);
    },
    isSuspected: (fingerprint) => countCrashes(fingerprint) > 0,
    isPoisoned: (fingerprint) => countCrashes(fingerprint) >= crashesMax,
  };
}
