/** One turn on the embedded engine: the generation's events, read as text and tool calls. */
import type { ChatRequest, FinishReason } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import type { GrammarSpec } from '../../grammar/spec.ts';
import type { EngineEvent, PreparedTurn, RunOptions, TurnContext } from '../engine.ts';
import type { HeldPrompt } from './held-prompt.ts';
import type { LlamaHost } from './llama-host.ts';
import type { GenerationEvent, GenerationSpec, OutputPiece } from './protocol.ts';
import type { ParsedOutput, ToolCallParser } from './tool-call-parser.ts';

export interface LlamaTurnOptions {
  readonly host: LlamaHost;
  readonly request: ChatRequest;
  readonly context: TurnContext;
  readonly prompt: HeldPrompt;
  readonly outputTokensMax: number;
  readonly needsOutputCheck: boolean;
  readonly grammar: GrammarSpec | undefined;
  readonly createParser: () => ToolCallParser;
  /** The request's seed, or one drawn for it. */
  readonly seed: number;
  /** The work is given up when nothing happens for so long. */
  readonly idleMsMax: number;
}

/** Temperature of repeated attempts at a greedy request: the same text again would fail again. */
const retryTemperature = 0.5;

/** Spreads attempts over seeds that no `seed + choice` of a neighbouring request meets. */
const attemptSeedStep = 0x9e3779b1;

export function createLlamaTurn(options: LlamaTurnOptions): PreparedTurn {
  return {
    promptTokens: options.prompt.tokenCount,
    isPromptCountExact: true,
    outputTokensMax: options.outputTokensMax,
    needsOutputCheck: options.needsOutputCheck,
    run: (run) => runTurn(options, run),
    discard: () => options.prompt.release(),
  };
}

async function* runTurn(turn: LlamaTurnOptions, run: RunOptions): AsyncGenerator<EngineEvent> {
  const { host, context } = turn;
  const promptId = await turn.prompt.take();
  const readers = new Map(
    run.choices.map((choice) => [choice, createChoiceReader(choice, turn.createParser())]),
  );
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(), turn.idleMsMax);
  const signal = AbortSignal.any([context.signal, idle.signal]);
  let completionTokens = 0;
  try {
    for await (const event of host.generate(composeSpec(turn, run, promptId), signal)) {
      timer.refresh();
      switch (event.type) {
        case 'prefill':
          yield {
            type: 'prefill-progress',
            processedTokens: event.processedTokens,
            totalTokens: event.totalTokens,
          };
          break;
        case 'output':
          yield* readerOf(readers, event.choice).read(event.pieces);
          break;
        case 'choice-end':
          completionTokens += event.completionTokens;
          yield* readerOf(readers, event.choice).end(event);
          break;
        case 'end': {
          const { promptTokens, cachedTokens } = event;
          yield { type: 'finish', usage: { promptTokens, cachedTokens, completionTokens, source: 'engine' } };
          return;
        }
        case 'error':
          throw describeFailure(event);
        default:
          event satisfies never;
      }
    }
    throw new ApiError('engine_failed', { internal: 'the generation stopped without an end' });
  } catch (thrown) {
    if (context.signal.aborted) throw new ApiError('client_closed_request', { cause: thrown });
    if (idle.signal.aborted) throw new ApiError('engine_timeout', { cause: thrown });
    throw thrown;
  } finally {
    clearTimeout(timer);
  }
}

function composeSpec(turn: LlamaTurnOptions, run: RunOptions, promptId: number): GenerationSpec {
  const { request } = turn;
  const { sampling } = request;
  const isRetryOfGreedy = run.attempt > 0 && sampling.temperature === 0;
  return {
    promptId,
    tenant: String(turn.context.accountId),
    choices: run.choices.map((choice) => ({
      choice,
      seed: turn.seed + choice + run.attempt * attemptSeedStep,
    })),
    temperature: isRetryOfGreedy ? retryTemperature : sampling.temperature,
    topP: sampling.topP,
    presencePenalty: sampling.presencePenalty,
    frequencyPenalty: sampling.frequencyPenalty,
    stop: request.stop,
    outputTokensMax: run.outputTokensMax,
    topLogprobs: request.logprobs?.topCount,
    grammar: turn.grammar,
    isDeterministic: request.isDeterministic,
  };
}

function readerOf(readers: ReadonlyMap<number, ChoiceReader>, choice: number): ChoiceReader {
  const reader = readers.get(choice);
  if (reader === undefined) {
    throw new ApiError('engine_failed', { internal: `output of choice ${choice}, which was not asked for` });
  }
  return reader;
}

interface ChoiceReader {
  read(pieces: readonly OutputPiece[]): EngineEvent[];
  end(event: Extract<GenerationEvent, { type: 'choice-end' }>): EngineEvent[];
}

function createChoiceReader(choice: number, parser: ToolCallParser): ChoiceReader {
  const number = (parsed: readonly ParsedOutput[]): EngineEvent[] =>
    parsed.map((output) => ({ ...output, choice }));
  return {
    read: (pieces) => number(pieces.flatMap((piece) => parser.push(piece))),
    end(event) {
      const reason = findReason(event, parser);
      const { completionTokens } = event;
      return [...number(parser.flush()), { type: 'choice-finish', choice, reason, completionTokens }];
    },
  };
}

/** A call or JSON answer that the budget cut or closed early is `length`, so nobody takes it for what was meant. */
function findReason(
  event: Extract<GenerationEvent, { type: 'choice-end' }>,
  parser: ToolCallParser,
): FinishReason {
  if (event.reason === 'length' || event.isConstraintUnfinished || parser.hasUnfinishedCall) return 'length';
  return parser.completeCalls > 0 ? 'tool_calls' : 'stop';
}

function describeFailure(event: Extract<GenerationEvent, { type: 'error' }>): ApiError {
  return event.reason === 'overloaded'
    ? new ApiError('engine_overloaded', { internal: event.detail, retryAfterSeconds: 5 })
    : new ApiError('engine_failed', { internal: event.detail });
}
