/** What the engine benchmark asks of every engine, however it is reached. */
import type { JsonSchema } from '../../src/chat/types.ts';

export interface Generation {
  readonly prompt: string;
  readonly tokensMax: number;
  /** Undefined = free text. */
  readonly jsonSchema?: JsonSchema;
  readonly topLogprobs?: number;
  readonly signal?: AbortSignal;
  /** Called once per piece of output, as it arrives. */
  readonly onOutput?: () => void;
}

/** One answer. Times are `performance.now()` milliseconds of the benchmark's process. */
export interface Generated {
  readonly text: string;
  readonly sentAt: number;
  /** When each piece of output arrived; usually one token per piece. */
  readonly outputAt: readonly number[];
  readonly completionTokens: number;
  readonly promptTokens: number;
  /** The part of the prompt that was not computed again; undefined where the engine does not say. */
  readonly cachedTokens: number | undefined;
}

export interface RunningEngine {
  /** Greedy decoding. Rejects when the engine fails or after the signal fired. */
  generate(generation: Generation): Promise<Generated>;
  /** Resolves when the engine works on nothing; undefined where it cannot tell. */
  readonly waitUntilIdle?: () => Promise<void>;
  /** Starts to watch the event loop that serves the streams; the result gives its delay so far. */
  readonly watchEventLoop?: () => () => Promise<{ readonly p99Ms: number; readonly maxMs: number }>;
  stop(): Promise<void>;
}

export interface EngineSubject {
  readonly name: string;
  /** Undefined = measurable here; else why not. */
  readonly missing?: string;
  /** False where the interface has no use for it, e.g. no probabilities. */
  readonly hasLogprobs: boolean;
  start(options: EngineOptions): Promise<RunningEngine>;
}

export interface EngineOptions {
  readonly modelPath: string;
  readonly threads: number;
  /** Requests at a time, each with `contextTokens` of its own. */
  readonly parallel: number;
  readonly contextTokens: number;
}

/** Collects an answer; shared by all drivers so that all are clocked alike. */
export function createRecorder(generation: Generation) {
  const sentAt = performance.now();
  const outputAt: number[] = [];
  let text = '';
  return {
    addOutput(piece: string): void {
      outputAt.push(performance.now());
      text += piece;
      generation.onOutput?.();
    },
    finish(counts: Pick<Generated, 'completionTokens' | 'promptTokens' | 'cachedTokens'>): Generated {
      return { text, sentAt, outputAt, ...counts };
    },
  };
}
