/**
 * What every engine is, to the rest of the code: something that prepares a turn (so that the exact price of its
 * prompt is known before work starts) and then runs it. One folder per kind; `registry.ts` names them all.
 */
import type { ChatEvent, ChatRequest } from '../chat/types.ts';

/** Like ChatEvent, but tool calls have no id yet: the chat core counts them over the conversation. */
export type EngineEvent =
  | Exclude<ChatEvent, { type: 'tool-call-start' }>
  | Omit<Extract<ChatEvent, { type: 'tool-call-start' }>, 'id'>;

export type EngineHealth =
  | { readonly state: 'loading'; readonly detail: string }
  | { readonly state: 'ready' }
  /** `detail` says what went wrong and what to do; shown by `/ready` and as the text of 503 answers. */
  | { readonly state: 'failed'; readonly detail: string };

/** What really answers behind a served name. Shown in `/v1/models`, `x-perigee-model` and the banner. */
export interface ModelBacking {
  /** Name of the weights, e.g. `SmolLM2-135M-Instruct Q4_1`. */
  readonly weights: string;
  readonly sizeBytes: number | undefined;
  readonly licence: string | undefined;
  /** The served window in tokens: prompt + output. */
  readonly contextTokens: number;
  /** First 8 hex digits of the weights' SHA-256 where known; becomes `system_fingerprint`. */
  readonly digest: string;
  /** True: tool arguments and JSON answers are constrained while decoding. False: validated and repaired. */
  readonly isSchemaEnforced: boolean;
}

export interface TurnContext {
  /** Prefix caches are never shared between tenants. */
  readonly accountId: number;
  readonly inferenceId: string;
  /** Aborted when the client leaves: work stops within 50 ms. */
  readonly signal: AbortSignal;
}

export interface RunOptions {
  /** At most `PreparedTurn.outputTokensMax`; lower when the account's balance does not reach further. */
  readonly outputTokensMax: number;
  /** The choices to generate, e.g. [0, 1, 2] for n = 3, or [1] to sample choice 1 again. */
  readonly choices: readonly number[];
  /** 0 for the first try; repeated tries mix it into the seed. */
  readonly attempt: number;
  /** Set when one choice is tried again: what was refused and why, for engines that can only ask again. */
  readonly rejection?: Rejection;
}

/** An answer that broke a rule of the request (a schema, a required tool), and the reason in words. */
export interface Rejection {
  readonly reason: string;
  readonly text: string;
  readonly toolCalls: readonly { readonly name: string; readonly argumentsText: string }[];
}

/** A request that was rendered and counted, and has cost nothing yet. */
export interface PreparedTurn {
  readonly promptTokens: number;
  /** False: `promptTokens` is an upper estimate (an upstream that cannot count). */
  readonly isPromptCountExact: boolean;
  /** Output tokens per choice: the request's or the server's default, bounded by the window. */
  readonly outputTokensMax: number;
  /** True: part of the declared schema could not be compiled; the chat core must check and may sample again. */
  readonly needsOutputCheck: boolean;
  /**
   * Does the work. Throws ApiError: `engine_overloaded`, `engine_failed`, `engine_timeout`, `upstream_failed`,
   * `client_closed_request` (after the context's signal fired). May be called again for another attempt.
   */
  run(options: RunOptions): AsyncIterable<EngineEvent>;
  /** Lets the engine forget a turn that will not be run (refused, or only counted). Idempotent; never after `run`. */
  discard(): void;
}

/**
 * Keeps the computation of prompt beginnings by name, over restarts. `request` says what prompts will begin with: its
 * messages and tools; the rest of it does not matter. All but `has`, `list` and `drop` throw as `Engine.prepare` and
 * `PreparedTurn.run` do.
 */
export interface EnginePrefixes {
  /** Tokens that all prompts with this beginning share. */
  count(request: ChatRequest, context: TurnContext): Promise<number>;
  /** Computes what is not computed yet and writes it to disk. `isStored` false: the disk has no room for it. */
  pin(
    name: string,
    request: ChatRequest,
    context: TurnContext,
  ): Promise<{ readonly tokens: number; readonly isStored: boolean }>;
  /** True while it need not be computed again, as far as is known. */
  has(name: string): boolean;
  list(): readonly string[];
  drop(name: string): void;
}

/** How an engine does at this moment. Null: it cannot tell. Rates are over the last ten seconds. */
export interface EngineStats {
  readonly runningCount: number;
  /** Accepted requests that have not begun. */
  readonly waitingCount: number | null;
  readonly waitingCountMax: number | null;
  /** Tokens in the key-value cache, and how many fit. */
  readonly kvCellsUsed: number | null;
  readonly kvCellsTotal: number | null;
  readonly promptTokensPerSecond: number | null;
  readonly outputTokensPerSecond: number | null;
}

export interface Engine {
  /** The name in the configuration. */
  readonly id: string;
  readonly kind: string;
  health(): EngineHealth;
  /** Of weights that are still being loaded only what was known before: `whenLoaded` waits for the rest. */
  backing(): ModelBacking;
  /** Absent: it is there from the start. Throws ApiError `model_unavailable` or `client_closed_request`. */
  whenLoaded?(signal: AbortSignal): Promise<void>;
  /**
   * Renders and counts. Throws ApiError: `context_length_exceeded` (with exact counts), `invalid_schema`,
   * `not_supported` (a parameter this engine cannot honour), `model_unavailable`.
   */
  prepare(request: ChatRequest, context: TurnContext): Promise<PreparedTurn>;
  /** Absent: computed prompts are the upstream's affair, or the engine is not loaded yet. */
  readonly prefixes?: EnginePrefixes | undefined;
  /**
   * Tokens of a text as it counts inside a message, by the model's own tokenizer; the likely figure where an upstream
   * cannot count. Throws ApiError as `prepare` does.
   */
  countText(text: string, signal: AbortSignal): Promise<number>;
  /** Cheap: dashboards ask every second. Absent, or undefined before it is loaded: nothing is known. */
  stats?(): Promise<EngineStats | undefined>;
  /** Stops every running turn and frees what the engine holds. Idempotent. */
  close(): Promise<void>;
}
