/**
 * The limits around one turn. `admit` comes before the prompt is rendered: requests per minute and concurrency.
 * Tokens are reserved when the money is held, prompt and longest output, and corrected to what was really used when
 * the turn ends. Whatever ends a turn early gives back what it had taken.
 */
import type { Meter } from '../billing/meter.ts';
import type { Caller, Usage } from '../chat/types.ts';
import {
  dayMs,
  type Lease,
  type LimitCounters,
  leaseMs,
  type MeterReading,
  type Receipt,
  type TakeAnswer,
} from './limit-counters.ts';
import type { RateLimitState } from './rate-limit-state.ts';
import { describeRefusal, findTightest, listMeters, refuseOversized, type TurnMeter } from './turn-meters.ts';

export interface TurnToAdmit {
  readonly caller: Caller;
  readonly inferenceId: string;
  /** Told what is left, also just before a refusal is thrown: once for requests, once more for tokens. */
  readonly onState?: ((state: RateLimitState) => void) | undefined;
}

export interface Admission {
  /**
   * For work that no meter ends, such as computing a context cache: its tokens count as a turn's do. Throws ApiError
   * `rate_limit_reached` or `request_exceeds_rate_limit`.
   */
  takeTokens(tokens: number): Promise<void>;
  /** Such work has begun: what it took stays counted, its place is free again. */
  conclude(): Promise<void>;
  /** The turn did not begin: it counts nowhere. Does nothing once the turn's hold is open. Never rejects. */
  cancel(): Promise<void>;
}

export interface TurnLimiter {
  /** Throws ApiError `rate_limit_reached`. Undefined = nothing is limited, and nothing was asked. */
  admit(turn: TurnToAdmit): Promise<Admission | undefined>;
  /** The meter, opened only for turns whose tokens fit. `open` throws `rate_limit_reached` as well. */
  limitMeter(meter: Meter): Meter;
  /** Gives back what is still under way; the counters are the caller's. */
  close(): Promise<void>;
}

export interface TurnLimiterOptions {
  readonly counters: LimitCounters;
  /** Tokens that the usage log has of this key or account since that moment: asked once a day and limit. */
  readonly readUsedTokens: (
    owner: { readonly keyId: number } | { readonly accountId: number },
    since: number,
  ) => Promise<number>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Told when something could not be given back or renewed; it ends by itself. */
  readonly onError?: (error: unknown) => void;
}

/** What is still booked for a turn. */
interface Taking {
  readonly meters: readonly TurnMeter[];
  readonly receipt: Receipt;
}

interface OpenTurn {
  readonly turn: TurnToAdmit;
  readonly takings: Taking[];
  state: RateLimitState;
  /** The hold is open: from here on the meter ends it. */
  isHeld: boolean;
}

const noState: RateLimitState = { requests: undefined, tokens: undefined };
const renewalMs = leaseMs / 3;

export function createTurnLimiter(options: TurnLimiterOptions): TurnLimiter {
  const { counters, onError = () => undefined } = options;
  const openTurns = new Map<string, OpenTurn>();
  const ending = new Set<Promise<void>>();

  const take = async (open: OpenTurn, meters: readonly TurnMeter[]): Promise<void> => {
    if (meters.length === 0) return;
    const { caller, onState } = open.turn;
    const answer = await takeWithSeeds(open.turn, meters, options);
    const isTaken = answer.type === 'taken';
    open.state = mergeState(open.state, meters, { readings: answer.readings, isTaken });
    onState?.(open.state);
    if (answer.type === 'taken') {
      open.takings.push({ meters, receipt: answer.receipt });
      return;
    }
    const meter = meters[answer.meter];
    const reading = answer.readings[answer.meter];
    if (meter === undefined || reading === undefined)
      throw new Error('The counters refused an unknown limit.');
    throw describeRefusal(caller, { meter, reading, waitMs: answer.waitMs });
  };

  const takeTokens = async (open: OpenTurn, tokens: number): Promise<void> => {
    const meters = listMeters(open.turn.caller, ['tokens', 'day-tokens'], tokens);
    refuseOversized(open.turn.caller, meters);
    await take(open, meters);
  };

  /** Undefined usage: the turn did not begin, so that its request does not count either. */
  const end = async (
    open: OpenTurn,
    usage: Pick<Usage, 'promptTokens' | 'cachedTokens' | 'completionTokens'> | undefined,
  ) => {
    openTurns.delete(open.turn.inferenceId);
    const ended = Promise.all(
      open.takings.splice(0).map(async ({ meters, receipt }) => {
        const changes = meters
          .map(({ name, kind, limitName, amount }) => ({
            name,
            kind,
            change: changeOf(limitName, amount, usage),
          }))
          .filter(({ kind, change }) => kind === 'lease' || change !== 0);
        if (changes.length === 0) return;
        const { accountId } = open.turn.caller;
        await counters.correct({ accountId, turnId: open.turn.inferenceId, receipt, changes });
      }),
    ).then(() => undefined, onError);
    ending.add(ended);
    await ended;
    ending.delete(ended);
  };

  const renew = async (leases: readonly Lease[]): Promise<void> => {
    await counters.renew(leases);
    // A turn that ended meanwhile may have given its place back before the renewal took it again.
    const ended = leases.filter(({ turnId }) => !openTurns.has(turnId));
    await Promise.all(
      ended.map(async ({ accountId, turnId, names }) => {
        const changes = names.map((name) => ({ name, kind: 'lease' as const, change: 0 }));
        await counters.correct({ accountId, turnId, receipt: { second: 0 }, changes });
      }),
    );
  };

  const renewal = setInterval(() => {
    const leases = [...openTurns.values()].flatMap(listLeases);
    if (leases.length > 0) renew(leases).catch(onError);
  }, renewalMs);
  renewal.unref();

  return {
    admit: async (turn) => {
      if (turn.caller.rateLimits === undefined) return undefined;
      const open: OpenTurn = { turn, takings: [], state: noState, isHeld: false };
      await take(open, listMeters(turn.caller, ['requests', 'concurrency'], 1));
      openTurns.set(turn.inferenceId, open);
      let tokensTaken = 0;
      return {
        takeTokens: async (tokens) => {
          await takeTokens(open, tokens);
          tokensTaken = tokens;
        },
        conclude: async () => await end(open, { ...nothingUsed, promptTokens: tokensTaken }),
        cancel: async () => {
          if (!open.isHeld) await end(open, undefined);
        },
      };
    },
    limitMeter: (meter) => ({
      open: async (turn) => {
        const open = openTurns.get(turn.inferenceId);
        if (open === undefined) return await meter.open(turn);
        await takeTokens(open, turn.promptTokens + turn.outputTokensMax);
        const hold = await meter.open(turn);
        open.isHeld = true;
        return {
          outputTokensMax: hold.outputTokensMax,
          settle: async (outcome) => {
            // Beside the settlement: a client that has its answer may come back at once, and must find its place free.
            const [charge] = await Promise.all([hold.settle(outcome), end(open, outcome.usage)]);
            return charge;
          },
          release: async (failure) => {
            await Promise.all([hold.release(failure), end(open, nothingUsed)]);
          },
        };
      },
    }),
    close: async () => {
      clearInterval(renewal);
      await Promise.all(ending);
    },
  };
}

const nothingUsed = { promptTokens: 0, cachedTokens: 0, completionTokens: 0 };

/** Takes, and tells the counters what was used today where they do not know it. */
async function takeWithSeeds(
  { caller, inferenceId }: TurnToAdmit,
  meters: readonly TurnMeter[],
  { counters, readUsedTokens, now = Date.now }: TurnLimiterOptions,
): Promise<Exclude<TakeAnswer, { type: 'seed-missing' }>> {
  const seeds = new Map<string, number>();
  for (;;) {
    const answer = await counters.take({ accountId: caller.accountId, turnId: inferenceId, meters, seeds });
    if (answer.type !== 'seed-missing') return answer;
    const meter = meters[answer.meter];
    if (meter === undefined || seeds.has(meter.name))
      throw new Error('The counters asked for an unknown limit.');
    const since = Math.floor(now() / dayMs) * dayMs;
    const owner = meter.owner === 'key' ? { keyId: meter.ownerId } : { accountId: meter.ownerId };
    seeds.set(meter.name, await readUsedTokens(owner, since));
  }
}

function mergeState(
  state: RateLimitState,
  meters: readonly TurnMeter[],
  { readings, isTaken }: { readonly readings: readonly MeterReading[]; readonly isTaken: boolean },
): RateLimitState {
  return {
    requests: findTightest(meters, readings, { limitName: 'requests', isTaken }) ?? state.requests,
    tokens: findTightest(meters, readings, { limitName: 'tokens', isTaken }) ?? state.tokens,
  };
}

function changeOf(
  limitName: TurnMeter['limitName'],
  amount: number,
  usage: Pick<Usage, 'promptTokens' | 'cachedTokens' | 'completionTokens'> | undefined,
): number {
  if (usage === undefined) return -amount;
  if (limitName === 'requests' || limitName === 'concurrency') return 0;
  // What was cached was not computed again: a long conversation is not counted anew with every turn.
  return usage.promptTokens - usage.cachedTokens + usage.completionTokens - amount;
}

function listLeases({ turn, takings }: OpenTurn): readonly Lease[] {
  const names = takings.flatMap(({ meters }) =>
    meters.filter(({ kind }) => kind === 'lease').map(({ name }) => name),
  );
  return names.length === 0 ? [] : [{ accountId: turn.caller.accountId, turnId: turn.inferenceId, names }];
}
