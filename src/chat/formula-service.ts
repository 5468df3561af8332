/** Runs an official tool for a caller: rate limits and the fee of a search around it, as around a turn. */

import type { Charge } from '../billing/meter.ts';
import type { MeterTurn } from '../billing/metered-turn.ts';
import type { RateLimitState } from '../limits/rate-limit-state.ts';
import type { TurnLimiter } from '../limits/turn-limiter.ts';
import type { Formula, FormulaOutcome } from '../web-search/formulas/formula.ts';
import type { Caller, ChatEvent, Usage } from './types.ts';

export interface FormulaRun {
  readonly formula: Formula;
  readonly argumentsText: string;
  readonly caller: Caller;
  readonly inferenceId: string;
  readonly clientRequestId: string | undefined;
  readonly signal: AbortSignal;
  readonly onRateLimits?: (state: RateLimitState) => void;
}

export interface FormulaService {
  readonly formulas: readonly Formula[];
  /** Throws ApiError `rate_limit_reached`, `insufficient_balance`, `key_limit_reached` or `client_closed_request`. */
  run(run: FormulaRun): Promise<{ readonly outcome: FormulaOutcome; readonly charge: Charge }>;
}

export interface FormulaServiceOptions {
  readonly formulas: readonly Formula[];
  readonly meterTurn: MeterTurn;
  readonly admitTurn?: TurnLimiter['admit'];
  /** The model under whose price and name fees are booked. */
  readonly modelId: string;
}

const noTokens: Usage = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, source: 'engine' };
const searchFee = { webSearches: 1, cacheHits: 0 } as const;

export function createFormulaService(options: FormulaServiceOptions): FormulaService {
  return {
    formulas: options.formulas,
    async run(run) {
      const { caller, inferenceId, onRateLimits } = run;
      const admission = await options.admitTurn?.({ caller, inferenceId, onState: onRateLimits });
      const { mayCharge } = run.formula;
      try {
        return mayCharge ? await runCharged(options, run) : await runFree(run);
      } finally {
        // A run that was held was ended by its settlement, and one whose hold was refused counts nowhere.
        await (mayCharge ? admission?.cancel() : admission?.conclude());
      }
    },
  };
}

async function runFree({ formula, argumentsText, caller, inferenceId, signal }: FormulaRun) {
  const outcome = await formula.run(argumentsText, { accountId: caller.accountId, inferenceId, signal });
  return { outcome, charge: { costNanoUsd: 0n } };
}

/** A turn without tokens. A run that failed is one that costs nothing. */
async function runCharged(options: FormulaServiceOptions, run: FormulaRun) {
  const { formula, argumentsText, caller, inferenceId, clientRequestId, signal } = run;
  let outcome: FormulaOutcome | undefined;
  async function* act(): AsyncGenerator<ChatEvent> {
    outcome = await formula.run(argumentsText, { accountId: caller.accountId, inferenceId, signal });
    const isCharged = outcome.status === 'succeeded' && outcome.isCharged;
    yield { type: 'finish', usage: { ...noTokens, ...(isCharged && { fees: searchFee }) } };
  }
  const turn = await options.meterTurn({
    caller,
    inferenceId,
    clientRequestId,
    signal,
    modelId: options.modelId,
    choiceCount: 1,
    promptTokens: 0,
    outputTokensMax: 0,
    feesMax: searchFee,
    run: act,
    usageSoFar: () => noTokens,
  });
  for await (const event of turn.events) {
    if (event.type === 'finish' && outcome !== undefined) return { outcome, charge: turn.charge() };
  }
  throw new Error('The turn ended without `finish`.');
}
