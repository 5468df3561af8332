/**
 * Work that comes up by itself: looked for again and again, and at once after a nudge. What is to be done stands in
 * the database and is claimed there by whichever replica is quicker; this file only keeps time.
 */

export interface JobLoopOptions {
  /** What administrators know the job by. */
  readonly name: string;
  readonly intervalMs: number;
  /** Never runs twice at a time in one process. */
  readonly run: () => Promise<void>;
  /** Told when a round failed; the next one tries again. */
  readonly onError: (error: unknown) => void;
}

/** How a job has done in this process. Times in milliseconds since 1970; null before the first round has ended. */
export interface JobReport {
  readonly name: string;
  readonly intervalMs: number;
  readonly isRunning: boolean;
  readonly roundCount: number;
  readonly failedCount: number;
  readonly lastEndedAt: number | null;
  readonly lastDurationMs: number | null;
  /** Why the last round failed; null when it did not. */
  readonly lastFailure: string | null;
}

export interface JobLoop {
  /**
   * Runs as soon as possible, also when a round is under way that may have looked too early. Resolves when that is
   * done; failures are told to `onError` only.
   */
  nudge(): Promise<void>;
  report(): JobReport;
  /** Resolves when the round under way has ended; none follows. */
  close(): Promise<void>;
}

const neverEnded: Pick<JobReport, 'lastEndedAt' | 'lastDurationMs' | 'lastFailure'> = {
  lastEndedAt: null,
  lastDurationMs: null,
  lastFailure: null,
};

export function startJobLoop({ name, intervalMs, run, onError }: JobLoopOptions): JobLoop {
  let round: Promise<void> | undefined;
  let isNudged = false;
  let isClosed = false;
  let ended = { roundCount: 0, failedCount: 0, ...neverEnded };

  const runRound = async (): Promise<string | null> => {
    try {
      await run();
      return null;
    } catch (thrown) {
      onError(thrown);
      return thrown instanceof Error ? thrown.message : String(thrown);
    }
  };
  const runRounds = async (): Promise<void> => {
    do {
      isNudged = false;
      const startedMs = performance.now();
      const lastFailure = await runRound();
      ended = {
        roundCount: ended.roundCount + 1,
        failedCount: ended.failedCount + (lastFailure === null ? 0 : 1),
        lastEndedAt: Date.now(),
        lastDurationMs: performance.now() - startedMs,
        lastFailure,
      };
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
    report: () => ({ name, intervalMs, isRunning: round !== undefined, ...ended }),
    close: async () => {
      isClosed = true;
      clearInterval(timer);
      await round;
    },
  };
}
