/** Whether a process answers. Native code that never returns, or a loop without an end, leaves it alive and mute. */
export interface PulseOptions {
  /** A question that any healthy process answers within moments; a rejection counts as an answer. */
  readonly ask: () => Promise<unknown>;
  /** There is nothing to ask an idle process for. */
  readonly isBusy: () => boolean;
  readonly onSilent: () => void;
  readonly rhythm: PulseRhythm;
}

export interface PulseRhythm {
  readonly everyMs: number;
  readonly silenceMsMax: number;
}

/** Compiling the largest schema takes seconds at most; a machine that swaps may take longer for anything. */
export const usualRhythm: PulseRhythm = { everyMs: 5_000, silenceMsMax: 30_000 };

/** Asks again and again until the returned function is called. */
export function watchPulse({ ask, isBusy, onSilent, rhythm }: PulseOptions): () => void {
  let askedAt: number | undefined;
  const answered = (): void => {
    askedAt = undefined;
  };
  const timer = setInterval(() => {
    if (askedAt !== undefined) {
      if (performance.now() - askedAt >= rhythm.silenceMsMax) onSilent();
    } else if (isBusy()) {
      askedAt = performance.now();
      ask().then(answered, answered);
    }
  }, rhythm.everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
