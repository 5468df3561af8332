/**
 * The money around one turn: a hold before the engine starts, and exactly one settlement or release, however the
 * turn ends. The turn itself is injected; nothing here knows engines, HTTP or a database.
 */
import type { Caller, ChatEvent, FeeCounts, Usage } from '../chat/types.ts';
import { ApiError, toApiError } from '../errors.ts';
import type { Charge, Hold, Meter, SealAnswer } from './meter.ts';

export interface TurnToRun {
  readonly caller: Caller;
  readonly inferenceId: string;
  readonly clientRequestId: string | undefined;
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
  readonly modelId: string;
  readonly choiceCount: number;
  readonly promptTokens: number;
  /** Per choice. */
  readonly outputTokensMax: number;
  /** The most that the turn may incur beside tokens; absent = nothing. */
  readonly feesMax?: FeeCounts;
  /** Called once, with what the balance reaches for; then let go of, and the prompt with it. */
  readonly run: (outputTokensMax: number) => AsyncIterable<ChatEvent>;
  /** Not asked for the answer of a client that left: it is not complete. */
  readonly sealAnswer?: SealAnswer | undefined;
  /** What was generated up to now; asked when the turn ends before its `finish`. */
  readonly usageSoFar: () => Usage;
}

/** Throws ApiError `insufficient_balance`, `key_limit_reached` or `client_closed_request`. */
export type MeterTurn = (
  turn: TurnToRun,
) => Promise<{ readonly events: AsyncIterable<ChatEvent>; charge(): Charge }>;

export interface TurnMeteringOptions {
  readonly meter: Meter;
  /** A monotonic clock in milliseconds. */
  readonly nowMs: () => number;
  /**
   * Told of every turn, with a promise that resolves when its money is settled or given back. A client that leaves
   * leaves the settlement behind, so a shutdown that only waits for connections would lose it.
   */
  readonly onTurn?: (ended: Promise<void>) => void;
}

export function createTurnMetering({ meter, nowMs, onTurn }: TurnMeteringOptions): MeterTurn {
  return async (turn) => {
    const startedAtMs = nowMs();
    const ended = Promise.withResolvers<void>();
    onTurn?.(ended.promise);
    try {
      const hold = await openHold(meter, turn);
      const events = new MeteredEvents(turn, hold, { startedAtMs, nowMs, onEnd: ended.resolve });
      return { events, charge: () => events.charge() };
    } catch (thrown) {
      ended.resolve();
      throw thrown;
    }
  };
}

function openHold(meter: Meter, turn: TurnToRun): Promise<Hold> {
  return meter.open({
    caller: turn.caller,
    inferenceId: turn.inferenceId,
    clientRequestId: turn.clientRequestId,
    modelId: turn.modelId,
    promptTokens: turn.promptTokens,
    outputTokensMax: turn.outputTokensMax * turn.choiceCount,
    choiceCount: turn.choiceCount,
    ...(turn.feesMax !== undefined && { feesMax: turn.feesMax }),
  });
}

interface TurnSurroundings {
  readonly startedAtMs: number;
  readonly nowMs: () => number;
  /** Called once, when the money is settled or given back, or neither could be written. */
  readonly onEnd: () => void;
}

/** Owns the hold: every way out of the iteration passes `#conclude` exactly once. */
class MeteredEvents implements AsyncIterableIterator<ChatEvent> {
  readonly #signal: AbortSignal;
  readonly #sealAnswer: SealAnswer | undefined;
  readonly #usageSoFar: () => Usage;
  #run: TurnToRun['run'] | undefined;
  readonly #hold: Hold;
  readonly #surroundings: TurnSurroundings;
  readonly #onAbort = (): void => this.#abandon();
  #source: AsyncIterator<ChatEvent> | undefined;
  #firstOutputAtMs: number | undefined;
  #conclusion: Promise<void> | undefined;
  #charge: Charge | undefined;
  /** Why the turn ended without `finish`; thrown at whoever goes on iterating. */
  #failure: ApiError | undefined;

  constructor(turn: TurnToRun, hold: Hold, surroundings: TurnSurroundings) {
    this.#signal = turn.signal;
    this.#sealAnswer = turn.sealAnswer;
    this.#usageSoFar = turn.usageSoFar;
    this.#run = turn.run;
    this.#hold = hold;
    this.#surroundings = surroundings;
    turn.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (turn.signal.aborted) this.#abandon();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  charge(): Charge {
    if (this.#charge === undefined) throw new Error('The charge is known once `finish` was yielded.');
    return this.#charge;
  }

  async next(): Promise<IteratorResult<ChatEvent>> {
    if (this.#conclusion !== undefined) {
      await this.#conclusion;
      if (this.#failure !== undefined) throw this.#failure;
      return { done: true, value: undefined };
    }
    try {
      const result = await this.#open().next();
      if (result.done === true) {
        throw new ApiError('engine_failed', { internal: 'the events ended without `finish`' });
      }
      const event = result.value;
      if (event.type === 'finish') {
        await this.#source?.return?.();
        await this.#conclude(() => this.#settle(event.usage, 'succeeded'));
      } else if (this.#firstOutputAtMs === undefined && event.type !== 'prefill-progress') {
        this.#firstOutputAtMs = this.#surroundings.nowMs();
      }
      return result;
    } catch (thrown) {
      await this.#conclude(() => this.#fail(toApiError(thrown)));
      throw this.#failure ?? toApiError(thrown);
    }
  }

  #open(): AsyncIterator<ChatEvent> {
    if (this.#source === undefined) {
      if (this.#run === undefined) throw new Error('The turn was begun before, and did not start.');
      const run = this.#run;
      this.#run = undefined;
      this.#source = run(this.#hold.outputTokensMax)[Symbol.asyncIterator]();
    }
    return this.#source;
  }

  async return(): Promise<IteratorResult<ChatEvent>> {
    await this.#conclude(() => this.#fail(new ApiError('client_closed_request')));
    return { done: true, value: undefined };
  }

  /** The client left. Perhaps nobody will ask for another event, so the turn is ended from here. */
  #abandon(): void {
    const failure = new ApiError('client_closed_request');
    this.#conclude(() => this.#fail(failure)).catch((thrown: unknown) => {
      this.#failure = toApiError(thrown);
    });
  }

  #conclude(action: () => Promise<void>): Promise<void> {
    if (this.#conclusion === undefined) {
      this.#signal.removeEventListener('abort', this.#onAbort);
      this.#conclusion = action().finally(this.#surroundings.onEnd);
    }
    return this.#conclusion;
  }

  /** Ends the source, then settles what a client that left has received the work of, or releases. */
  async #fail(failure: ApiError): Promise<void> {
    const hasLeft = this.#signal.aborted || failure.code === 'client_closed_request';
    const isOwnCode = failure.code === 'client_closed_request';
    this.#failure =
      hasLeft && !isOwnCode ? new ApiError('client_closed_request', { cause: failure }) : failure;
    try {
      await this.#source?.return?.();
    } finally {
      await (hasLeft ? this.#settle(this.#usageOfLeaver(), 'client_left') : this.#release(this.#failure));
    }
  }

  /** What a client that left is charged by: nothing, as long as nothing was generated for it (decision 0013). */
  #usageOfLeaver(): Usage {
    const usage = this.#usageSoFar();
    // Work that was held back to be judged, and searches, were done for the client all the same.
    const hasOutput =
      this.#firstOutputAtMs !== undefined || usage.completionTokens > 0 || (usage.fees?.webSearches ?? 0) > 0;
    return hasOutput
      ? usage
      : { promptTokens: 0, cachedTokens: 0, completionTokens: 0, source: usage.source };
  }

  async #settle(usage: Usage, status: 'succeeded' | 'client_left'): Promise<void> {
    const { startedAtMs, nowMs } = this.#surroundings;
    const firstOutputAtMs = this.#firstOutputAtMs;
    const sealAnswer = this.#sealAnswer;
    const timeToFirstTokenMs = firstOutputAtMs === undefined ? undefined : firstOutputAtMs - startedAtMs;
    try {
      this.#charge = await this.#hold.settle({
        usage,
        status,
        timeToFirstTokenMs,
        durationMs: nowMs() - startedAtMs,
        ...(status === 'succeeded' && sealAnswer !== undefined && { sealAnswer }),
      });
    } catch (thrown) {
      this.#failure = toApiError(thrown);
      // Does nothing if the settlement was committed after all.
      await this.#release(this.#failure);
      throw this.#failure;
    }
  }

  async #release(failure: ApiError): Promise<void> {
    const { startedAtMs, nowMs } = this.#surroundings;
    try {
      await this.#hold.release({ errorCode: failure.code, durationMs: nowMs() - startedAtMs });
    } catch (thrown) {
      throw new ApiError('internal_error', { cause: new AggregateError([thrown, failure]) });
    }
  }
}
