/**
 * THE SEAM. Dialects (`http/`) decode into these types and encode from them; engines consume and produce them;
 * billing wraps them. Nothing here knows HTTP, a database or an engine, and nothing here is snake_case.
 */

/** Who asks. Made by authentication, never from the request's body. */
export interface Caller {
  /** The account's number, from 1; shown as `user_id` on the wire. */
  readonly accountId: number;
  readonly keyId: number;
  /** First 8 characters of the key, safe to show and to log. */
  readonly keyPrefix: string;
  /** What the key may do; null means everything. */
  readonly scopes: readonly string[] | null;
  readonly origin: 'api' | 'playground';
  /** The rate limits that hold for the key and for its account; absent = none. */
  readonly rateLimits?: {
    readonly key: RateLimits | undefined;
    readonly account: RateLimits | undefined;
  };
}

/** How much may be asked. Undefined = no limit of that kind. */
export interface RateLimits {
  readonly requestsPerMinute: number | undefined;
  /** Prompt (without what was cached) and output. */
  readonly tokensPerMinute: number | undefined;
  /** From 00:00 UTC. */
  readonly tokensPerDay: number | undefined;
  /** Turns that run at the same time. */
  readonly concurrency: number | undefined;
}

/** A declared function tool. `$web_search` arrives as `builtin`. */
export type ToolDeclaration =
  | {
      readonly type: 'function';
      readonly name: string;
      readonly description: string | undefined;
      /** JSON Schema (draft 2020-12) of the arguments; undefined = an object without parameters. */
      readonly parameters: JsonSchema | undefined;
      /** False = arguments need only be a JSON object. */
      readonly isStrict: boolean;
    }
  | { readonly type: 'builtin'; readonly name: string };

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** A JSON Schema: an object of keywords, or `true` / `false`. */
export type JsonSchema = boolean | { readonly [keyword: string]: JsonValue };

export type ToolChoice =
  | { readonly type: 'auto' }
  | { readonly type: 'none' }
  | { readonly type: 'required' }
  | { readonly type: 'named'; readonly name: string };

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text exactly as the caller or the model wrote it. */
  readonly argumentsText: string;
}

export type ChatMessage =
  | { readonly role: 'system'; readonly text: string; readonly name: string | undefined }
  | { readonly role: 'user'; readonly text: string; readonly name: string | undefined }
  | {
      readonly role: 'assistant';
      readonly text: string;
      readonly name: string | undefined;
      readonly toolCalls: readonly ToolCall[];
      /** Only on the last message: generate the continuation of `text` (Moonshot's partial mode). */
      readonly isPartial: boolean;
    }
  | {
      readonly role: 'tool';
      readonly text: string;
      readonly name: string | undefined;
      readonly toolCallId: string;
    };

export type OutputFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json-object' }
  | {
      readonly type: 'json-schema';
      readonly name: string;
      readonly description: string | undefined;
      readonly schema: JsonSchema;
      readonly isStrict: boolean;
    };

export interface Sampling {
  /** 0-2; 0 = greedy. */
  readonly temperature: number;
  /** 0.01-1. */
  readonly topP: number;
  /** −2 to 2, subtracted once from the logit of every token already generated. */
  readonly presencePenalty: number;
  /** −2 to 2, subtracted per earlier occurrence. */
  readonly frequencyPenalty: number;
  /** Undefined = a fresh random seed per request. Choice i of n uses seed + i. */
  readonly seed: number | undefined;
}

/** One chat completion, decoded and validated: an engine may trust every field. */
export interface ChatRequest {
  /** The served model's canonical id, aliases resolved. */
  readonly modelId: string;
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly ToolDeclaration[];
  readonly toolChoice: ToolChoice;
  readonly isParallelToolCallsAllowed: boolean;
  readonly outputFormat: OutputFormat;
  /** `n`: how many choices to generate from the one prompt. */
  readonly choiceCount: number;
  readonly sampling: Sampling;
  readonly stop: readonly string[];
  /** Tokens per choice; undefined = the server's default. */
  readonly outputTokensMax: number | undefined;
  /** Undefined = no log probabilities; `topCount` 0-20 alternatives per token. */
  readonly logprobs: { readonly topCount: number } | undefined;
  /** `prompt_cache_key`: a routing hint, never a promise. */
  readonly cacheHint: string | undefined;
  /** The context-cache object that the messages begin with, and its size: its tokens have their own price. */
  readonly contextCache?: { readonly id: string; readonly tokens: number } | undefined;
  /** Batch of one, prefill at fixed 64-token boundaries: same seed, same text. */
  readonly isDeterministic: boolean;
}

/** A place in an answer that refers to a source of a web search. */
export interface UrlCitation {
  /** In Unicode code points of the answer's text. */
  readonly startIndex: number;
  /** Exclusive. */
  readonly endIndex: number;
  readonly title: string;
  readonly url: string;
}

/** Why a choice ended. */
export type FinishReason = 'stop' | 'length' | 'tool_calls';

export interface TokenLogprob {
  readonly token: string;
  readonly bytes: readonly number[];
  /** Natural log of the probability from the raw logits (before temperature and penalties). */
  readonly logprob: number;
  readonly top: readonly {
    readonly token: string;
    readonly bytes: readonly number[];
    readonly logprob: number;
  }[];
}

export interface Usage {
  readonly promptTokens: number;
  /** The part of `promptTokens` whose computation was reused. */
  readonly cachedTokens: number;
  /** The part of `cachedTokens` that a context-cache object covers; absent = 0. It has its own price. */
  readonly objectCachedTokens?: number;
  /** Over all choices. */
  readonly completionTokens: number;
  /** Who counted: the embedded engine, the upstream's own figures, or our estimate because it sent none. */
  readonly source: 'engine' | 'upstream' | 'estimate';
  /** What the turn incurred beside tokens; absent = nothing. */
  readonly fees?: FeeCounts;
}

/** How often a turn did (or may do) something that has a price of its own beside tokens. */
export interface FeeCounts {
  /** Searches that succeeded. */
  readonly webSearches: number;
  /** Uses of a context-cache object. */
  readonly cacheHits: number;
}

/**
 * What a turn produces, in order: any number of deltas per choice, one `choice-finish` per choice, then exactly
 * one `finish`. A turn that fails throws instead; it never ends without `finish`.
 */
export type ChatEvent =
  /** The prompt is being computed; for keep-alive comments and progress bars. */
  | {
      readonly type: 'prefill-progress';
      readonly processedTokens: number;
      readonly totalTokens: number;
      /** The reused part, where it is known by now; a client that leaves early is charged by it. */
      readonly cachedTokens?: number;
    }
  | {
      readonly type: 'text-delta';
      readonly choice: number;
      readonly text: string;
      /** One entry per token whose text ends in this delta; absent when not asked for. */
      readonly logprobs?: readonly TokenLogprob[];
      /** Tokens behind this delta; absent = 1. What a client that leaves early is charged by. */
      readonly tokenCount?: number;
    }
  | {
      readonly type: 'tool-call-start';
      readonly choice: number;
      /** Position within this answer, from 0. */
      readonly index: number;
      /** `name:idx`, idx counting over the conversation; assigned by the chat core, not by engines. */
      readonly id: string;
      readonly name: string;
    }
  | {
      readonly type: 'tool-call-delta';
      readonly choice: number;
      readonly index: number;
      readonly argumentsText: string;
      /** As for text. */
      readonly tokenCount?: number;
    }
  | {
      readonly type: 'choice-finish';
      readonly choice: number;
      readonly reason: FinishReason;
      readonly completionTokens: number;
      /** Only where sources were in the prompt. */
      readonly annotations?: readonly UrlCitation[];
    }
  | { readonly type: 'finish'; readonly usage: Usage };
