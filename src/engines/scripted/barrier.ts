/** A point in time that a test controls: whoever waits goes on when the test opens it. */
export interface Barrier {
  /** Resolves when the barrier is opened or the signal is aborted; the caller looks at the signal. */
  wait(signal: AbortSignal): Promise<void>;
  /** Lets everyone through, now and later. */
  open(): void;
  /** Resolves when somebody waits; how a test knows that a run got this far. */
  reached(): Promise<void>;
}

export function createBarrier(): Barrier {
  const opened = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  return {
    async wait(signal) {
      reached.resolve();
      if (signal.aborted) return;
      const aborted = Promise.withResolvers<void>();
      const onAbort = (): void => aborted.resolve();
      signal.addEventListener('abort', onAbort, { once: true });
      await Promise.race([opened.promise, aborted.promise]);
      signal.removeEventListener('abort', onAbort);
    },
    open: () => opened.resolve(),
    reached: () => reached.promise,
  };
}
