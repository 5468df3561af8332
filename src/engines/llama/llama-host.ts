/** What the engine needs from the process that runs the model; `supervisor.ts` provides it. */
import type { EngineHealth } from '../engine.ts';
import type { EngineStats, GenerationEvent, GenerationSpec, LoadedModel, PromptPiece } from './protocol.ts';

export interface LlamaHost {
  health(): EngineHealth;
  /** Undefined until the model is loaded. */
  readonly model: LoadedModel | undefined;
  /** Counts a prompt and keeps its tokens. Throws ApiError `model_unavailable` or `engine_failed`. */
  tokenize(pieces: readonly PromptPiece[]): Promise<{ promptId: number; tokenCount: number }>;
  forget(promptId: number): void;
  /** Ends after `end` or `error`; leaving the loop or firing the signal aborts the work. */
  generate(spec: GenerationSpec, signal: AbortSignal): AsyncIterable<GenerationEvent>;
  /**
   * Writes a computed prefix to disk under a name; takes the prompt. False = it is not in the cache, or there is no
   * room. Throws ApiError as `tokenize` does.
   */
  pin(promptId: number, tenant: string, name: string): Promise<boolean>;
  unpin(name: string): void;
  /** Names of the pinned prefixes that are on disk. */
  readonly pinnedPrefixes: ReadonlySet<string>;
  /** Undefined while no model is loaded. */
  stats(): Promise<EngineStats | undefined>;
  /** Generations that may wait for room. */
  readonly queueLengthMax: number;
  close(): Promise<void>;
}
