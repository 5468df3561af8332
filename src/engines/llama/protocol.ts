/**
 * Messages between the server process and the engine's child process (`child_process.fork`, serialization
 * "advanced"). The parent never loads native code; the child never sees HTTP, accounts or OpenAI shapes.
 */
import type { TokenLogprob } from '../../chat/types.ts';
import type { GrammarSpec } from '../../grammar/spec.ts';

/**
 * A run of prompt text. Only `isControl` text may become special tokens: text that came from a caller is sent
 * with `isControl: false`, so nobody can inject `<|im_end|>`.
 */
export interface PromptPiece {
  readonly text: string;
  readonly isControl: boolean;
}

export interface LoadOptions {
  readonly modelPath: string;
  /** Cells of the shared KV cache (tokens over all sequences); the child may lower it to what memory allows. */
  readonly kvCells: number;
  /** Longest prompt + output of one sequence. */
  readonly contextTokensMax: number;
  readonly threads: number;
  readonly kvType: 'f16' | 'q8_0';
  /**
   * Cells that idle sequences may keep for later requests with the same beginning; absent = three quarters of what
   * there is, and at least a window: a context cache may fill one.
   */
  readonly prefixCacheCells?: number | undefined;
  /** Where prefixes are kept that the cache has no room for; absent = nowhere. */
  readonly prefixFiles?: {
    readonly folder: string;
    /** All files together. */
    readonly bytesMax: number;
    /** SHA-256 of the weights: a state is of no use to others. */
    readonly modelDigest: string;
  };
}

/** Facts read from the GGUF file and the loaded context. */
export interface LoadedModel {
  readonly architecture: string;
  readonly name: string;
  readonly parameterCount: number;
  readonly sizeBytes: number;
  readonly trainedContextTokens: number;
  readonly contextTokens: number;
  readonly kvCells: number;
  readonly vocabularySize: number;
  /** The model's own Jinja chat template, from `tokenizer.chat_template`. */
  readonly chatTemplate: string | undefined;
  readonly bosToken: string;
  readonly eosToken: string;
  /** Whether a BOS token is put in front of a prompt (`tokenizer.ggml.add_bos_token`). */
  readonly hasLeadingBos: boolean;
  /** Texts of all control and user-defined tokens; caller text that contains one is split around it. */
  readonly specialTokens: readonly string[];
  readonly memoryBytes: number;
  /** Names of the pinned prefixes that are on disk and fit this model and its settings. */
  readonly pinnedPrefixes: readonly string[];
}

export interface GenerationSpec {
  /** From an earlier `tokenize` with `keep`: the child kept the tokens, so they do not cross twice. */
  readonly promptId: number;
  /** Scope of the prefix cache; requests share computed prefixes only within one tenant. */
  readonly tenant: string;
  readonly choices: readonly { readonly choice: number; readonly seed: number }[];
  readonly temperature: number;
  readonly topP: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly stop: readonly string[];
  readonly outputTokensMax: number;
  /** Undefined = none asked. */
  readonly topLogprobs: number | undefined;
  readonly grammar: GrammarSpec | undefined;
  readonly isDeterministic: boolean;
  /** Its prompt is computed to be pinned: until that is asked for it is not moved away for the sake of others. */
  readonly willBePinned?: boolean | undefined;
}

export type ParentMessage =
  | { readonly type: 'load'; readonly options: LoadOptions }
  /** Counts a prompt and keeps its tokens under `promptId` until `forget` or the generation's end. */
  | { readonly type: 'tokenize'; readonly promptId: number; readonly pieces: readonly PromptPiece[] }
  | { readonly type: 'forget'; readonly promptId: number }
  | { readonly type: 'generate'; readonly generationId: number; readonly spec: GenerationSpec }
  | { readonly type: 'abort'; readonly generationId: number }
  /** Writes a prefix that was just computed to disk under a name, until `unpin`. The prompt is forgotten. */
  | { readonly type: 'pin'; readonly promptId: number; readonly tenant: string; readonly name: string }
  | { readonly type: 'unpin'; readonly name: string }
  | { readonly type: 'stats'; readonly requestId: number }
  | { readonly type: 'close' };

/** A piece of output: ordinary text (whole UTF-8 characters), or one special token. */
export type OutputPiece =
  | { readonly type: 'text'; readonly text: string; readonly logprobs?: readonly TokenLogprob[] }
  | { readonly type: 'special'; readonly token: string };

export type GenerationEvent =
  | { readonly type: 'prefill'; readonly processedTokens: number; readonly totalTokens: number }
  | { readonly type: 'output'; readonly choice: number; readonly pieces: readonly OutputPiece[] }
  | {
      readonly type: 'choice-end';
      readonly choice: number;
      /** `stop`: end-of-turn token, stop string or finished grammar. */
      readonly reason: 'stop' | 'length';
      readonly completionTokens: number;
      /** True when a grammar was active and did not reach its end. */
      readonly isConstraintUnfinished: boolean;
    }
  | { readonly type: 'end'; readonly promptTokens: number; readonly cachedTokens: number }
  /** `overloaded`: no KV room for this prompt before its deadline; `failed`: anything else, text for the log. */
  | { readonly type: 'error'; readonly reason: 'overloaded' | 'failed'; readonly detail: string };

/** There is no room for a generation yet; only the supervisor sees it. */
export interface QueuedEvent {
  readonly type: 'queued';
}

/** An event and the generation that it belongs to. */
export interface PublishedEvent {
  readonly generationId: number;
  readonly event: GenerationEvent | QueuedEvent;
}

export interface EngineStats {
  readonly runningSequences: number;
  readonly queuedGenerations: number;
  readonly kvCellsUsed: number;
  /** Promised to running generations and not yet used. */
  readonly kvCellsReserved: number;
  readonly kvCells: number;
  readonly cachedSequences: number;
  readonly residentBytes: number;
  readonly decodedTokensTotal: number;
  readonly prefilledTokensTotal: number;
  readonly reusedTokensTotal: number;
  readonly heldPrompts: number;
  /** Computed prefixes on disk. */
  readonly storedPrefixes: number;
  readonly storedBytes: number;
  /** Tokens that were read back from disk. */
  readonly restoredTokensTotal: number;
}

export type ChildMessage =
  | { readonly type: 'loaded'; readonly model: LoadedModel }
  | { readonly type: 'load-failed'; readonly detail: string }
  | { readonly type: 'tokenized'; readonly promptId: number; readonly tokenCount: number }
  | { readonly type: 'tokenize-failed'; readonly promptId: number; readonly detail: string }
  /** `isStored` false: it is not in the cache any more, or the disk has no room. */
  | { readonly type: 'pinned'; readonly promptId: number; readonly name: string; readonly isStored: boolean }
  /** The file of a pinned prefix was damaged and is gone. */
  | { readonly type: 'prefix-lost'; readonly name: string }
  /** Everything of one step, coalesced: one message per step, not per token. */
  | { readonly type: 'events'; readonly events: readonly PublishedEvent[] }
  | { readonly type: 'stats'; readonly requestId: number; readonly stats: EngineStats };
