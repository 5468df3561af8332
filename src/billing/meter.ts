/**
 * Money around a turn: hold → settle, or release. The turn is injected, so billing knows `chat/types` only.
 */
import type { Caller, FeeCounts, Usage } from '../chat/types.ts';
import type { Statement } from '../store/store.ts';

export interface TurnToMeter {
  readonly caller: Caller;
  readonly inferenceId: string;
  readonly clientRequestId: string | undefined;
  readonly modelId: string;
  readonly promptTokens: number;
  /** Over all choices. */
  readonly outputTokensMax: number;
  readonly choiceCount: number;
  /** The most that the turn may incur beside tokens: part of the hold. Absent = nothing. */
  readonly feesMax?: FeeCounts;
}

/** What a turn cost. Nano-dollars; 0n when the price is empty. */
export interface Charge {
  readonly costNanoUsd: bigint;
}

/**
 * Rows that are written with the charge of a complete answer, or not at all. Every event but `finish` was read by
 * then. Asked again when the charge had to be another one.
 */
export type SealAnswer = (usage: Usage, charge: Charge) => readonly Statement<never>[];

/** How a turn ended; `succeeded` covers a client that left (charged for what was generated). */
export interface TurnOutcome {
  readonly usage: Usage;
  readonly status: 'succeeded' | 'client_left';
  readonly timeToFirstTokenMs: number | undefined;
  readonly durationMs: number;
  readonly sealAnswer?: SealAnswer;
}

export interface Hold {
  /** Output tokens per choice that the balance reaches for; never more than was asked. */
  readonly outputTokensMax: number;
  /** Durable before the last byte of the answer leaves. Idempotent on the inference id. */
  settle(outcome: TurnOutcome): Promise<Charge>;
  /** The turn failed: nothing is charged. Safe to call after `settle` (does nothing then). */
  release(failure: { readonly errorCode: string; readonly durationMs: number }): Promise<void>;
}

export interface Meter {
  /** Throws ApiError `insufficient_balance` or `key_limit_reached`. */
  open(turn: TurnToMeter): Promise<Hold>;
}
