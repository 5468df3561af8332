/**
 * The chat core: between a decoded request and an engine's events. It refuses what no engine can do, names tool
 * calls, guarantees the declared output and keeps count. It knows no HTTP, no money and no particular engine.
 */
import type { Engine, EngineEvent, PreparedTurn, TurnContext } from '../engines/engine.ts';
import { ApiError } from '../errors.ts';
import type { OutputChecker } from '../grammar/output-checker.ts';
import { guaranteeOutput } from './guarantee-output.ts';
import { createOutputRules, type OutputRules } from './output-rules.ts';
import { nextToolCallCounter, toolCallId } from './tool-call-ids.ts';
import { createTurnProgress, type TurnProgress } from './turn-progress.ts';
import type { ChatEvent, ChatRequest, FeeCounts, Usage } from './types.ts';

/** A chat that was rendered and counted; nothing has been generated yet. */
export interface PreparedChat {
  readonly promptTokens: number;
  /** Per choice. */
  readonly outputTokensMax: number;
  /** The most that the turn may incur beside tokens; absent = nothing. */
  readonly feesMax?: FeeCounts;
  /** Does the work, once. Throws ApiError; see `PreparedTurn.run`, and `unexpected_output`. */
  run(outputTokensMax: number): AsyncIterable<ChatEvent>;
  /** Measured or counted up to now, for a turn that ends early. */
  usageSoFar(): Usage;
  /** Instead of `run`: the engine forgets the prompt at once. */
  discard(): void;
}

/** Throws ApiError as `Engine.prepare` does, and `not_supported` for builtin tools. */
export async function prepareChat(
  request: ChatRequest,
  engine: Engine,
  context: TurnContext,
  checker: OutputChecker,
): Promise<PreparedChat> {
  refuseBuiltinTools(request);
  const hasRules = request.tools.length > 0 || request.outputFormat.type !== 'text';
  // Compiled before the engine works, so that a schema that cannot be used is a 400 on every engine.
  const createRules = (): Promise<OutputRules> => createOutputRules(request, checker, context);
  const earlyRules = hasRules && !engine.backing().isSchemaEnforced ? await createRules() : undefined;
  const prepared = await engine.prepare(request, context);
  const rules =
    earlyRules ?? (prepared.needsOutputCheck ? await orDiscard(prepared, createRules()) : undefined);
  const progress = createTurnProgress(prepared.promptTokens);

  return {
    promptTokens: prepared.promptTokens,
    outputTokensMax: prepared.outputTokensMax,
    run: (outputTokensMax) => runChat({ request, prepared, rules, progress, outputTokensMax }),
    usageSoFar: readUsage(progress),
    discard: () => prepared.discard(),
  };
}

/** Made out here, so that asking for the usage does not keep the prompt in memory. */
function readUsage(progress: TurnProgress): () => Usage {
  return () => progress.usage();
}

async function orDiscard<T>(prepared: PreparedTurn, step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (refusal) {
    prepared.discard();
    throw refusal;
  }
}

/** Throws ApiError `not_supported`. */
export function refuseBuiltinTools(request: ChatRequest): void {
  const position = request.tools.findIndex((tool) => tool.type === 'builtin');
  const tool = request.tools[position];
  if (tool === undefined) return;
  throw new ApiError('not_supported', {
    message: `Invalid request: the builtin tool \`${tool.name}\` is not offered by this server yet. Remove it from \`tools\`, or declare a function tool of your own and run it on your side.`,
    param: `tools[${position}]`,
  });
}

interface RunnableChat {
  readonly request: ChatRequest;
  readonly prepared: PreparedTurn;
  /** Undefined: the engine keeps the rules itself. */
  readonly rules: OutputRules | undefined;
  readonly progress: TurnProgress;
  readonly outputTokensMax: number;
}

function runChat(chat: RunnableChat): AsyncIterable<ChatEvent> {
  const { request, prepared, rules, progress, outputTokensMax } = chat;
  const choices = Array.from({ length: request.choiceCount }, (_, choice) => choice);
  const firstCounter = nextToolCallCounter(request.messages);
  const hasTools = request.tools.length > 0;
  const nameEvent = (event: EngineEvent): ChatEvent => {
    if (event.type !== 'tool-call-start') return event;
    if (!hasTools) {
      throw new ApiError('unexpected_output', {
        internal: `\`${event.name}\` was called, and no tool declared`,
      });
    }
    return { ...event, id: toolCallId(event.name, firstCounter, event.index) };
  };
  if (rules !== undefined) {
    return guaranteeOutput({ prepared, rules, choices, outputTokensMax, progress, nameEvent });
  }
  return nameEvents(prepared.run({ outputTokensMax, choices, attempt: 0 }), nameEvent, progress);
}

function nameEvents(
  events: AsyncIterable<EngineEvent>,
  nameEvent: (event: EngineEvent) => ChatEvent,
  progress: TurnProgress,
): AsyncIterable<ChatEvent> {
  return { [Symbol.asyncIterator]: () => iterateNamed(events[Symbol.asyncIterator](), nameEvent, progress) };
}

/** By hand: a generator would cost every token of every stream two more promises. */
function iterateNamed(
  source: AsyncIterator<EngineEvent>,
  nameEvent: (event: EngineEvent) => ChatEvent,
  progress: TurnProgress,
): AsyncIterator<ChatEvent> {
  const passOn = (result: IteratorResult<EngineEvent>): IteratorResult<ChatEvent> => {
    if (result.done === true) return result;
    progress.record(result.value);
    return { done: false, value: nameEvent(result.value) };
  };
  return {
    next: () => source.next().then(passOn),
    async return() {
      await source.return?.();
      return { done: true, value: undefined };
    },
  };
}
