/**
 * Lets generations run together, and those that are under suspicion of having crashed the process alone: so a second
 * crash tells which input it was. Whoever runs alone waits for a quiet moment and does not keep others out meanwhile.
 */
export interface RunGate {
  /** `leave`, or undefined when it has to wait. */
  tryEnter(isAlone: boolean): (() => void) | undefined;
  /** Resolves with `leave` when it may run. Rejects with the signal's reason; then nothing was entered. */
  enter(isAlone: boolean, signal: AbortSignal): Promise<() => void>;
}

interface Waiter {
  readonly isAlone: boolean;
  readonly start: () => void;
}

export function createRunGate(): RunGate {
  const waiting = new Set<Waiter>();
  let running = 0;
  let isOneAlone = false;

  const mayRun = (isAlone: boolean): boolean => !isOneAlone && (!isAlone || running === 0);
  const take = (isAlone: boolean): (() => void) => {
    let hasLeft = false;
    running += 1;
    isOneAlone = isAlone;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      running -= 1;
      if (isAlone) isOneAlone = false;
      for (const waiter of waiting) if (mayRun(waiter.isAlone)) waiter.start();
    };
  };

  const tryEnter = (isAlone: boolean): (() => void) | undefined =>
    mayRun(isAlone) ? take(isAlone) : undefined;

  return {
    tryEnter,
    async enter(isAlone, signal) {
      const entered = tryEnter(isAlone);
      if (entered !== undefined) return entered;
      const { promise, resolve, reject } = Promise.withResolvers<() => void>();
      const waiter: Waiter = {
        isAlone,
        start() {
          waiting.delete(waiter);
          // Taken here and not by the one who waits, so that the next in the row sees it.
          resolve(take(isAlone));
        },
      };
      const giveUp = (): void => {
        if (waiting.delete(waiter)) reject(signal.reason);
      };
      waiting.add(waiter);
      signal.addEventListener('abort', giveUp, { once: true });
      if (signal.aborted) giveUp();
      try {
        return await promise;
      } finally {
        signal.removeEventListener('abort', giveUp);
      }
    },
  };
}
