/**
 * What a dialect (`http/`) or the command line talks to: one chat completion as a metered stream of events.
 * The parts behind it are wired by `createChatService`: the model's engine, the chat core and the money around it.
 */
import type { Charge } from '../billing/meter.ts';
import type { MeterTurn } from '../billing/metered-turn.ts';
import type { ModelDirectory } from '../engines/registry.ts';
import { ApiError } from '../errors.ts';
import { createOutputChecker, type OutputChecker } from '../grammar/output-checker.ts';
import type { RateLimitState } from '../limits/rate-limit-state.ts';
import type { TurnLimiter } from '../limits/turn-limiter.ts';
import { type PreparedChat, prepareChat } from './run-chat.ts';
import type { Caller, ChatEvent, ChatRequest } from './types.ts';

/** Who asks and under which names the turn is booked. */
export interface ChatTurnContext {
  readonly caller: Caller;
  /** Our name of this turn: unique, sent as `x-inference-id`, the key of its charge. */
  readonly inferenceId: string;
  /** `x-client-request-id` or the like, only for the usage log. */
  readonly clientRequestId: string | undefined;
  /** Aborted when the client leaves: the engine stops within 50 ms and the turn is settled. */
  readonly signal: AbortSignal;
  /** Told what is left of the caller's rate limits, before `start` resolves or throws; not when nothing is limited. */
  readonly onRateLimits?: (state: RateLimitState) => void;
}

/** A turn that was counted and paid for in advance; iterating `events` does the work. */
export interface MeteredTurn {
  /** Exact where the engine can count, else an upper estimate; `finish` carries the measured figure. */
  readonly promptTokens: number;
  /**
   * May be iterated once. Throws ApiError when the turn fails (nothing is charged then). The settlement is
   * durable before `finish` is yielded. A consumer that stops early must call `return()` (`for await` does).
   */
  readonly events: AsyncIterable<ChatEvent>;
  /** What the turn cost. Valid once `finish` was yielded; throws a plain Error before. */
  charge(): Charge;
}

export interface ChatService {
  /**
   * Resolves the model, renders and counts the prompt and opens the hold; no engine work has started when it
   * returns. Throws ApiError before any byte of the answer: `model_not_found`, `model_unavailable`,
   * `context_length_exceeded`, `invalid_schema`, `not_supported`, `insufficient_balance`, `key_limit_reached`,
   * `rate_limit_reached`, `request_exceeds_rate_limit`.
   */
  start(request: ChatRequest, turn: ChatTurnContext): Promise<MeteredTurn>;
}

export interface ChatServiceOptions {
  readonly models: ModelDirectory;
  /** Billing's part, injected so that imports stay one-way. */
  readonly meterTurn: MeterTurn;
  /** Asked before the prompt is rendered. Undefined = nothing is limited. */
  readonly admitTurn?: TurnLimiter['admit'];
  /** Closed by whoever made it. Undefined = one of the service's own, which lives as long as the process. */
  readonly outputChecker?: OutputChecker;
}

export function createChatService({
  models,
  meterTurn,
  admitTurn,
  outputChecker = createOutputChecker(),
}: ChatServiceOptions): ChatService {
  return {
    async start(request, { caller, inferenceId, clientRequestId, signal, onRateLimits }) {
      const model = models.find(request.modelId);
      if (model === undefined) {
        throw new ApiError('model_not_found', {
          message: `Not found the model ${request.modelId} or Permission denied`,
          param: 'model',
        });
      }
      const admission = await admitTurn?.({ caller, inferenceId, onState: onRateLimits });
      let chat: PreparedChat | undefined;
      try {
        const context = { accountId: caller.accountId, inferenceId, signal };
        chat = await prepareChat(request, model.engine, context, outputChecker);
        const metered = await meterTurn({
          caller,
          inferenceId,
          clientRequestId,
          signal,
          modelId: model.id,
          choiceCount: request.choiceCount,
          ...chat,
        });
        return { promptTokens: chat.promptTokens, ...metered };
      } catch (refusal) {
        chat?.discard();
        await admission?.cancel();
        throw refusal;
      }
    },
  };
}
