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
  hasWaitedLong: boolean;
}

export interface TurnstileOptions {
  /** How many may be inside at the same time; default: any number. */
  readonly insideMax?: number;
  /** Who has waited for so long enters all the same; default: never. */
  readonly patienceMs?: number;
}

export function createTurnstile(options: TurnstileOptions = {}): Turnstile {
  const { insideMax = Number.POSITIVE_INFINITY, patienceMs } = options;
  /** Lowest rank first, and the longest waiting among equals. */
  const queue: Waiting[] = [];
  let insideCount = 0;
  let isTurning = false;

  /** Who enters next; -1 = nobody may. */
  const findNext = (): number =>
    insideCount < insideMax ? Math.min(0, queue.length - 1) : queue.findIndex((each) => each.hasWaitedLong);
  const turn = (): void => {
    if (isTurning || findNext() === -1) return;
    isTurning = true;
    setImmediate(() => {
      isTurning = false;
      const position = findNext();
      const next = position === -1 ? undefined : queue.splice(position, 1)[0];
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
      const waiting: Waiting = { rank, enter: resolve, hasWaitedLong: false };
      const position = queue.findLastIndex((other) => other.rank <= rank) + 1;
      queue.splice(position, 0, waiting);
      const giveUp = (): void => {
        const place = queue.indexOf(waiting);
        if (place === -1) return;
        queue.splice(place, 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      const lose = (): void => {
        waiting.hasWaitedLong = true;
        turn();
      };
      const patience = patienceMs === undefined ? undefined : setTimeout(lose, patienceMs);
      turn();
      await promise.finally(() => {
        clearTimeout(patience);
        signal.removeEventListener('abort', giveUp);
      });
      return leave;
    },
  };
}
