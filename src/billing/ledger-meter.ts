/**
 * The meter that charges: a hold before the engine starts, then exactly one of charge and release, each in one
 * group with the usage row. What a killed process left is given back by `server-lease.ts`.
 */
import { randomUUID } from 'node:crypto';
import { ApiError } from '../errors.ts';
import type { CommitResult, Statement, Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { noUsage, recordUsage, type UsageRecord } from '../usage/record-usage.ts';
import { readFreeAmount } from './free-amount.ts';
import {
  type ChargeRefusal,
  chargeHold,
  giveBackHold,
  type HeldAmount,
  reserveHold,
} from './hold-statements.ts';
import type { Charge, Hold, Meter, TurnOutcome, TurnToMeter } from './meter.ts';
import { affordableTokens } from './money.ts';
import { createPriceBook, type Price } from './price-book.ts';
import { openServerLease } from './server-lease.ts';
import { costOfTurn, worstCostOfTurn } from './turn-cost.ts';

export interface LedgerMeter extends Meter {
  /** The name under which this process holds its lease. */
  readonly serverId: string;
  /** Ends this process's lease. Call it after the last turn and before the store closes. */
  close(): Promise<void>;
}

export interface LedgerMeterOptions {
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** A clock that never jumps, in milliseconds. */
  readonly monotonicNow?: () => number;
  /** Names this process in its holds; drawn by default. */
  readonly serverId?: string;
  /** Told when the background care of holds failed; it goes on by itself. */
  readonly onError?: (error: unknown) => void;
}

/** Holds that other turns take away between our look and our hold; then the answer is that nothing is left. */
const loweringsMax = 5;

/** Rejects with a `StoreError` when the store cannot be written. */
export async function openLedgerMeter(store: Store, options: LedgerMeterOptions = {}): Promise<LedgerMeter> {
  const now = options.now ?? Date.now;
  const serverId = options.serverId ?? randomUUID();
  const prices = createPriceBook(store, options.monotonicNow);
  const unreleased = new Set<() => Promise<void>>();
  const lease = await openServerLease(store, {
    serverId,
    now,
    onError: options.onError ?? (() => undefined),
    tend: async () => {
      for (const release of unreleased) {
        await release();
        unreleased.delete(release);
      }
    },
  });
  return {
    serverId,
    open: async (turn) => {
      const price = await prices.find(turn.modelId);
      return await holdTurn(turn, price, { store, serverId, now, unreleased });
    },
    close: async () => {
      await lease.close();
      if (unreleased.size === 0) return;
      const message = `Holds that could not be given back: ${unreleased.size}. Whoever serves this database next does it.`;
      options.onError?.(new StoreError('unavailable', message));
    },
  };
}

interface MeterContext {
  readonly store: Store;
  readonly serverId: string;
  readonly now: () => number;
  /**
   * Releases that the database did not take, to be tried again: the lease of a server that lives protects its
   * holds, so nobody else would ever give them back.
   */
  readonly unreleased: Set<() => Promise<void>>;
}

/** Tokens of a turn's worst case, and what they cost. */
interface Budget {
  readonly outputTokensPerChoice: number;
  readonly amountNanoUsd: bigint;
}

async function holdTurn(turn: TurnToMeter, price: Price, context: MeterContext): Promise<Hold> {
  const createdAt = context.now();
  let budget = budgetOf(turn, price, Math.floor(turn.outputTokensMax / turn.choiceCount));
  for (let attempt = 0; ; attempt += 1) {
    const held: HeldAmount = {
      inferenceId: turn.inferenceId,
      accountId: turn.caller.accountId,
      keyId: turn.caller.keyId,
      amountNanoUsd: budget.amountNanoUsd,
    };
    const reserved = await context.store.commit(
      reserveHold({ ...held, serverId: context.serverId, modelId: turn.modelId, createdAt }),
      // A hold that a power cut loses belongs to a turn that the power cut ended.
      { durability: 'lazy', isIndependent: true },
    );
    if (reserved.isCommitted) {
      return createHold({ turn, price, held, createdAt, context }, budget.outputTokensPerChoice);
    }
    const free = await readFreeAmount(context.store, turn.caller, createdAt);
    const lowered = lowerBudget(turn, price, free.amountNanoUsd);
    // The full hold may have been too much for both; what says no to a single token is one of them.
    if (lowered === undefined || lowered.amountNanoUsd > free.amountNanoUsd) {
      throw new ApiError(free.boundBy);
    }
    if (attempt >= loweringsMax) throw new ApiError(reserved.reason);
    // Not always less: other turns may have ended since.
    budget = lowered;
  }
}

function budgetOf(turn: TurnToMeter, price: Price, outputTokensPerChoice: number): Budget {
  const { promptTokens, choiceCount, feesMax } = turn;
  const outputTokens = outputTokensPerChoice * choiceCount;
  return {
    outputTokensPerChoice,
    amountNanoUsd: worstCostOfTurn(price, { promptTokens, outputTokens, feesMax }),
  };
}

/** The largest budget that the amount pays for; undefined when it is under one token per choice. */
function lowerBudget(turn: TurnToMeter, price: Price, freeNanoUsd: bigint): Budget | undefined {
  const outputTokens = affordableTokens(
    freeNanoUsd - budgetOf(turn, price, 0).amountNanoUsd,
    price.outputNanoUsd,
    turn.outputTokensMax,
  );
  const outputTokensPerChoice = Math.floor(outputTokens / turn.choiceCount);
  return outputTokensPerChoice < 1 ? undefined : budgetOf(turn, price, outputTokensPerChoice);
}

interface OpenTurn {
  readonly turn: TurnToMeter;
  readonly price: Price;
  readonly held: HeldAmount;
  readonly createdAt: number;
  readonly context: MeterContext;
}

function createHold(open: OpenTurn, outputTokensMax: number): Hold {
  let settlement: Promise<Charge> | undefined;
  let isOver = false;
  return {
    outputTokensMax,
    settle: async (outcome) => {
      // Once, whoever asks again; a settlement that failed may be tried again, or released.
      settlement ??= settleTurn(open, outcome).catch((thrown: unknown) => {
        settlement = undefined;
        throw thrown;
      });
      const charge = await settlement;
      isOver = true;
      return charge;
    },
    release: async ({ errorCode, durationMs }) => {
      if (!isOver && settlement === undefined) {
        isOver = true;
        const release = (): Promise<void> => releaseTurn(open, errorCode, durationMs);
        try {
          await release();
        } catch (thrown) {
          open.context.unreleased.add(release);
          throw thrown;
        }
      }
    },
  };
}

async function settleTurn(open: OpenTurn, outcome: TurnOutcome): Promise<Charge> {
  const measured = costOfTurn(open.price, outcome.usage);
  const settled = await bookCharge(open, outcome, measured);
  if (settled.isCommitted) {
    return { costNanoUsd: measured };
  }
  if (settled.reason !== 'not_held') {
    // An upstream counted more tokens than was estimated, and account or key has no more: the hold is the price.
    const capped = await bookCharge(open, outcome, open.held.amountNanoUsd);
    if (capped.isCommitted) {
      return { costNanoUsd: open.held.amountNanoUsd };
    }
  }
  throw new ApiError('internal_error', {
    internal: `The hold of ${open.held.inferenceId} is gone: it was given back when this process's lease ended.`,
  });
}

async function bookCharge(
  open: OpenTurn,
  outcome: TurnOutcome,
  costNanoUsd: bigint,
): Promise<CommitResult<'not_held' | ChargeRefusal>> {
  const { usage } = outcome;
  const charge = { costNanoUsd, modelId: open.turn.modelId, at: open.context.now() };
  const statements: Statement<'not_held' | ChargeRefusal>[] = [
    ...chargeHold(open.held, charge),
    ...recordUsage({
      ...describeTurn(open),
      status: 'succeeded',
      errorCode: null,
      isClientLeft: outcome.status === 'client_left',
      inputTokens: usage.promptTokens,
      cachedTokens: usage.cachedTokens,
      outputTokens: usage.completionTokens,
      objectCachedTokens: usage.objectCachedTokens ?? 0,
      webSearches: usage.fees?.webSearches ?? 0,
      cacheHits: usage.fees?.cacheHits ?? 0,
      usageSource: usage.source,
      costNanoUsd,
      timeToFirstTokenMs: outcome.timeToFirstTokenMs ?? null,
      durationMs: outcome.durationMs,
    }),
    ...(outcome.sealAnswer?.(usage, { costNanoUsd }) ?? []),
  ];
  // What is above the hold is reserved first, so that two statements change one row.
  const isIndependent = costNanoUsd <= open.held.amountNanoUsd;
  return await open.context.store.commit(statements, { isIndependent });
}

async function releaseTurn(open: OpenTurn, errorCode: string, durationMs: number): Promise<void> {
  // Not held any more: given back already, which is all that was wanted.
  await open.context.store.commit(
    [
      ...giveBackHold(open.held),
      ...recordUsage({
        ...describeTurn(open),
        status: 'failed',
        errorCode,
        isClientLeft: false,
        ...noUsage,
        costNanoUsd: 0n,
        timeToFirstTokenMs: null,
        durationMs,
      }),
    ],
    // Lost in a power cut, the hold is an orphan and is given back at the next start.
    { durability: 'lazy', isIndependent: true },
  );
}

type TurnFacts = Pick<
  UsageRecord,
  'inferenceId' | 'accountId' | 'keyId' | 'modelId' | 'priceId' | 'origin' | 'clientRequestId' | 'createdAt'
>;

function describeTurn({ turn, price, held, createdAt }: OpenTurn): TurnFacts {
  return {
    inferenceId: held.inferenceId,
    accountId: held.accountId,
    keyId: held.keyId,
    modelId: turn.modelId,
    priceId: price.id,
    origin: turn.caller.origin,
    clientRequestId: turn.clientRequestId ?? null,
    createdAt,
  };
}
