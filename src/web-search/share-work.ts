/** Equal work that is asked for at the same time is done once. */
export type ShareWork<Value> = (
  key: string,
  signal: AbortSignal,
  start: (signal: AbortSignal) => Promise<Value>,
) => Promise<Value>;

interface RunningWork<Value> {
  readonly result: Promise<Value>;
  readonly controller: AbortController;
  askerCount: number;
}

/**
 * Whoever asks under a key while its work runs joins it. An asker whose signal fires leaves with the signal's reason; the
 * work itself is ended when the last one has left.
 */
export function createSharedWork<Value>(): ShareWork<Value> {
  const running = new Map<string, RunningWork<Value>>();

  const begin = (key: string, start: (signal: AbortSignal) => Promise<Value>): RunningWork<Value> => {
    const controller = new AbortController();
    const result = start(controller.signal).finally(() => forget(key, work));
    const work: RunningWork<Value> = { result, controller, askerCount: 0 };
    running.set(key, work);
    return work;
  };
  const forget = (key: string, work: RunningWork<Value>): void => {
    if (running.get(key) === work) running.delete(key);
  };

  return async (key, signal, start) => {
    signal.throwIfAborted();
    const work = running.get(key) ?? begin(key, start);
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    work.askerCount += 1;
    try {
      return await Promise.race([work.result, left]);
    } finally {
      signal.removeEventListener('abort', leave);
      work.askerCount -= 1;
      if (work.askerCount === 0) {
        forget(key, work);
        // Nothing happens when it has ended; else nobody waits for it any more.
        work.controller.abort(signal.reason);
      }
    }
  };
}
