/** Inputs that were being worked on when the engine's process crashed. Twice within the time: refused. */
export interface PoisonList {
  /** Notes the inputs that were in work when the process ended. */
  suspect(fingerprints: Iterable<string>): void;
  /** The input came through, so it was not the cause. */
  clear(fingerprint: string): void;
  isPoisoned(fingerprint: string): boolean;
  readonly isEmpty: boolean;
}

const crashesMax = 2;
const suspicionMs = 10 * 60_000;

export function createPoisonList(now: () => number): PoisonList {
  const suspicions = new Map<string, { crashes: number; until: number }>();
  const forgetOld = (): void => {
    for (const [fingerprint, { until }] of suspicions) if (until <= now()) suspicions.delete(fingerprint);
  };
  return {
    get isEmpty() {
      return suspicions.size === 0;
    },
    suspect(fingerprints) {
      forgetOld();
      for (const fingerprint of new Set(fingerprints)) {
        const crashes = (suspicions.get(fingerprint)?.crashes ?? 0) + 1;
        suspicions.set(fingerprint, { crashes, until: now() + suspicionMs });
      }
    },
    clear(fingerprint) {
      suspicions.delete(fingerprint);
    },
    isPoisoned(fingerprint) {
      forgetOld();
      return (suspicions.get(fingerprint)?.crashes ?? 0) >= crashesMax;
    },
  };
}
