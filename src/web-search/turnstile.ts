/**
 * Lets work begin in order: at most so many at a time, lower ranks before higher ones, and at most one in each turn of the
 * event loop. Fifty searches that begin at once would else open hundreds of connections in one go, and nothing else would
 * be answered meanwhile.
 */
export interface Turnstile {
  /** Resolves to the way out, to be called once. Rejects with the signal's reason. */
  enter(rank: number, signal: AbortSignal): Promise<() => void>;
}

interface Waiting {
  readonly rank: number;
  readonly enter: () => void;
}

/** `insideMax`: how many may be inside at the same time. */
export function createTurnstile(insideMax: number): Turnstile {
  /** Lowest rank first, and the longest waiting among equals. */
  const queue: Waiting[] = [];
  let insideCount = 0;
  let isTurning = false;

  const turn = (): void => {
    if (isTurning || queue.length === 0 || insideCount >= insideMax) return;
    isTurning = true;
    setImmediate(() => {
      isTurning = false;
      const next = queue.shift();
      if (next === undefined) return;
      insideCount += 1;
      next.enter();
      turn();
    });
  };
  const leave = (): void => {
    insideCount -= 1;
    turn();
  };

  return {
    async enter(rank, signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const waiting: Waiting = { rank, enter: resolve };
      const position = queue.findLastIndex((other) => other.rank <= rank) + 1;
      queue.splice(position, 0, waiting);
      const giveUp = (): void => {
        const place = queue.indexOf(waiting);
        if (place === -1) return;
        queue.splice(place, 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      turn();
      await promise.finally(() => signal.removeEventListener('abort', giveUp));
      return leave;
    },
  };
}
