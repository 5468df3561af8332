/**
 * Work that comes up by itself: looked for again and again, and at once after a nudge. What is to be done stands in
 * the database and is claimed there by whichever replica is quicker; this file only keeps time.
 */

export interface JobLoopOptions {
  readonly intervalMs: number;
  /** Never runs twice at a time in one process. */
  readonly run: () => Promise<void>;
  /** Told when a round failed; the next one tries again. */
  readonly onError: (error: unknown) => void;
}

export interface JobLoop {
  /**
   * Runs as soon as possible, also when a round is under way that may have looked too early. Resolves when that is
   * done; failures are told to `onError` only.
   */
  nudge(): Promise<void>;
  /** Resolves when the round under way has ended; none follows. */
  close(): Promise<void>;
}

export function startJobLoop({ intervalMs, run, onError }: JobLoopOptions): JobLoop {
  let round: Promise<void> | undefined;
  let isNudged = false;
  let isClosed = false;

  const runRounds = async (): Promise<void> => {
    do {
      isNudged = false;
      try {
        await run();
      } catch (thrown) {
        onError(thrown);
      }
    } while (isNudged && !isClosed);
    round = undefined;
  };
  const nudge = async (): Promise<void> => {
    isNudged = true;
    if (isClosed) return;
    round ??= runRounds();
    await round;
  };
  const timer = setInterval(() => void nudge(), intervalMs);
  timer.unref();
  return {
    nudge,
    close: async () => {
      isClosed = true;
      clearInterval(timer);
      await round;
    },
  };
}
