/**
 * What a dialect (`http/`) or the command line talks to: one chat completion as a metered stream of events.
 * The parts behind it are wired by `createChatService`: the model's engine, the chat core and the money around it.
 */
import type { Charge, SealAnswer } from '../billing/meter.ts';
import type { MeterTurn } from '../billing/metered-turn.ts';
import { type ModelDirectory, requireModel } from '../engines/registry.ts';
import { createOutputChecker, type OutputChecker } from '../grammar/output-checker.ts';
import type { RateLimitState } from '../limits/rate-limit-state.ts';
import type { TurnLimiter } from '../limits/turn-limiter.ts';
import { countCacheHit } from './count-cache-hit.ts';
import { countPromptTokens } from './count-prompt.ts';
import { type PreparedChat, prepareChat } from './run-chat.ts';
import type { ToolLoop } from './tool-loop.ts';
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
  /** Rows that keep the complete answer, written with its charge or not at all. */
  readonly sealAnswer?: SealAnswer;
}

type CountContext = Pick<ChatTurnContext, 'caller' | 'inferenceId' | 'signal' | 'onRateLimits'>;

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
  /**
   * Tokens of the prompt that `start` would render. Throws as it does; nothing is generated, held or charged. Rendering
   * costs as much as for a turn, so a count is limited as a request, whatever comes of it.
   */
  countPrompt(request: ChatRequest, turn: CountContext): Promise<number>;
}

export interface ChatServiceOptions {
  readonly models: ModelDirectory;
  /** Billing's part, injected so that imports stay one-way. */
  readonly meterTurn: MeterTurn;
  /** Asked before the prompt is rendered. Undefined = nothing is limited. */
  readonly admitTurn?: TurnLimiter['admit'];
  /** Undefined = builtin tools are refused. */
  readonly toolLoop?: ToolLoop;
  /** Closed by whoever made it. Undefined = one of the service's own, which lives as long as the process. */
  readonly outputChecker?: OutputChecker;
}

export function createChatService({
  models,
  meterTurn,
  admitTurn,
  toolLoop,
  outputChecker = createOutputChecker(),
}: ChatServiceOptions): ChatService {
  const prepare = toolLoop?.prepare ?? prepareChat;
  return {
    async start(request, { caller, inferenceId, clientRequestId, signal, onRateLimits, sealAnswer }) {
      const model = requireModel(models, request.modelId);
      const admission = await admitTurn?.({ caller, inferenceId, onState: onRateLimits });
      let chat: PreparedChat | undefined;
      try {
        const context = { accountId: caller.accountId, inferenceId, signal };
        const prepared = await prepare(request, model.engine, context, outputChecker);
        chat = countCacheHit(prepared, request.contextCache);
        const metered = await meterTurn({
          caller,
          inferenceId,
          clientRequestId,
          signal,
          modelId: model.id,
          choiceCount: request.choiceCount,
          sealAnswer,
          ...chat,
        });
        return { promptTokens: chat.promptTokens, ...metered };
      } catch (refusal) {
        chat?.discard();
        await admission?.cancel();
        throw refusal;
      }
    },
    async countPrompt(request, { caller, inferenceId, signal, onRateLimits }) {
      const { engine } = requireModel(models, request.modelId);
      const admission = await admitTurn?.({ caller, inferenceId, onState: onRateLimits });
      const context = { accountId: caller.accountId, inferenceId, signal };
      try {
        const shaped = toolLoop === undefined ? request : await toolLoop.shape(request, engine, context);
        return await countPromptTokens(shaped, engine, context);
      } finally {
        await admission?.conclude();
      }
    },
  };
}
