/**
 * An engine that plays a script. For tests of our own logic only: it answers nothing by itself, is never offered
 * by the configuration, and is deterministic to the event: where it waits, it waits for the test.
 */
import type { ChatRequest } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import type {
  Engine,
  EngineEvent,
  EngineHealth,
  ModelBacking,
  PreparedTurn,
  RunOptions,
  TurnContext,
} from '../engine.ts';
import type { Barrier } from './barrier.ts';

export type ScriptStep =
  | EngineEvent
  /** Goes on when the test opens the barrier; ends the run when the turn is aborted. */
  | { readonly type: 'wait'; readonly barrier: Barrier }
  | { readonly type: 'fail'; readonly error: Error };

/** What a run plays; called once per run, so attempts can differ. */
export type Script = (run: RunOptions & { readonly request: ChatRequest }) => Iterable<ScriptStep>;

export interface ScriptedEngineOptions {
  readonly script: Script;
  /** Default `scripted`. */
  readonly id?: string;
  /** What `prepare` counts; default 10. An ApiError is thrown by `prepare` instead. */
  readonly promptTokens?: number | ApiError;
  /** Default 64. */
  readonly outputTokensMax?: number;
  /** Default true: answers go straight through. */
  readonly isSchemaEnforced?: boolean;
  readonly needsOutputCheck?: boolean;
  readonly health?: EngineHealth;
}

export interface ScriptedEngine extends Engine {
  /** Every run so far, in order. */
  readonly runs: readonly (RunOptions & { readonly request: ChatRequest })[];
  /** Runs that were started and have not ended, failed or been returned. */
  openRunCount(): number;
  /** Prepared turns that were given up unrun. */
  discardCount(): number;
}

export function createScriptedEngine(options: ScriptedEngineOptions): ScriptedEngine {
  const runs: (RunOptions & { readonly request: ChatRequest })[] = [];
  let openRunCount = 0;
  let discardCount = 0;
  const closed = new AbortController();

  async function* play(
    request: ChatRequest,
    run: RunOptions,
    signal: AbortSignal,
  ): AsyncGenerator<EngineEvent> {
    openRunCount += 1;
    runs.push({ ...run, request });
    try {
      for (const step of options.script({ ...run, request })) {
        throwIfOver(signal, closed.signal);
        if (step.type === 'fail') throw step.error;
        if (step.type !== 'wait') yield step;
        else await step.barrier.wait(AbortSignal.any([signal, closed.signal]));
      }
      throwIfOver(signal, closed.signal);
    } finally {
      openRunCount -= 1;
    }
  }

  return {
    id: options.id ?? 'scripted',
    kind: 'scripted',
    runs,
    openRunCount: () => openRunCount,
    discardCount: () => discardCount,
    health: () => options.health ?? { state: 'ready' },
    backing: () => describeBacking(options),
    async prepare(request: ChatRequest, context: TurnContext): Promise<PreparedTurn> {
      const promptTokens = options.promptTokens ?? 10;
      if (promptTokens instanceof ApiError) throw promptTokens;
      return {
        promptTokens,
        isPromptCountExact: true,
        outputTokensMax: request.outputTokensMax ?? options.outputTokensMax ?? 64,
        needsOutputCheck: options.needsOutputCheck ?? false,
        run: (run) => play(request, run, context.signal),
        discard: () => {
          discardCount += 1;
        },
      };
    },
    // A word is a token.
    countText: async (text) => text.split(/\s+/).filter((word) => word !== '').length,
    close: async () => closed.abort(),
  };
}

function throwIfOver(turn: AbortSignal, engine: AbortSignal): void {
  if (turn.aborted) throw new ApiError('client_closed_request');
  if (engine.aborted) throw new ApiError('engine_failed', { internal: 'the scripted engine was closed' });
}

const describeBacking = (options: ScriptedEngineOptions): ModelBacking => ({
  weights: 'a script',
  sizeBytes: undefined,
  licence: undefined,
  contextTokens: 4096,
  digest: '00000000',
  isSchemaEnforced: options.isSchemaEnforced ?? true,
});

/** The steps of an answer that is only text: one delta per string, then the ends. */
export function scriptText(...deltas: readonly string[]): ScriptStep[] {
  return [
    ...deltas.map((text): ScriptStep => ({ type: 'text-delta', choice: 0, text })),
    { type: 'choice-finish', choice: 0, reason: 'stop', completionTokens: deltas.length },
    { type: 'finish', usage: scriptUsage(deltas.length) },
  ];
}

/** The steps of an answer that calls tools, arguments in one piece. */
export function scriptToolCalls(
  ...calls: readonly { readonly name: string; readonly argumentsText: string }[]
): ScriptStep[] {
  return [
    ...calls.flatMap(({ name, argumentsText }, index): ScriptStep[] => [
      { type: 'tool-call-start', choice: 0, index, name },
      { type: 'tool-call-delta', choice: 0, index, argumentsText },
    ]),
    { type: 'choice-finish', choice: 0, reason: 'tool_calls', completionTokens: calls.length },
    { type: 'finish', usage: scriptUsage(calls.length) },
  ];
}

export const scriptUsage = (completionTokens: number) =>
  ({ promptTokens: 10, cachedTokens: 0, completionTokens, source: 'engine' }) as const;
