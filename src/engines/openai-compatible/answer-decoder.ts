/**
 * Reads one upstream answer, chunk by chunk, into engine events. An answer that is cut off, that contains an error
 * or that is no chat completion at all ends in an ApiError, never in a clean end.
 */
import type { FinishReason, TokenLogprob } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import type { EngineEvent } from '../engine.ts';
import { createCallFormatReader } from './call-format.ts';
import { classifyStreamError } from './classify-error.ts';
import { createContentTemplate } from './content-template.ts';
import { createEchoReader } from './echo-reader.ts';
import { createControlTokenReader } from './kimi-control-tokens.ts';
import { readLogprobs } from './read-logprobs.ts';
import { readUsage, type UpstreamUsage } from './read-usage.ts';
import type { TextReader, TextSink } from './text-reader.ts';
import { createToolCallAssembler, type ToolCallAssembler, type ToolCallSink } from './tool-call-assembler.ts';
import { asList, asRecord, asText, type WireChoice, type WireChunk, type WireDelta } from './wire-chunk.ts';

export interface AnswerDecoderOptions {
  /** Our numbers of the choices that were asked for, in the upstream's order. */
  readonly choices: readonly number[];
  readonly hasLogprobs: boolean;
  readonly textForm: TextForm;
  /** Tool calls per choice; what is beyond is cut off. Default: any number. */
  readonly callsMax?: number;
  emit(event: EngineEvent): void;
}

/** What is to be expected of a choice's text beside being a text. */
export interface TextForm {
  /** Kimi's control tokens are read back into tool calls. */
  readonly hasControlTokens: boolean;
  /** The text is one tool call as JSON; see `call-format.ts`. */
  readonly isCall: boolean;
  /** The text begins with this partial message, which the caller has already. */
  readonly echo: string | undefined;
}

export interface AnswerDecoder {
  /** The JSON text of one chunk, or of a whole answer that was not streamed. Throws ApiError. */
  add(json: string): void;
  /** True once every choice has its finish reason. */
  isComplete(): boolean;
  /** Emits `choice-finish` of every choice. Throws ApiError `upstream_failed` when one is unfinished. */
  finish(): DecodedUsage;
}

export interface DecodedUsage {
  /** As the upstream counted; undefined when it did not. */
  readonly usage: UpstreamUsage | undefined;
  /** Over all choices: measured where it can be, else estimated. */
  readonly completionTokens: number;
}

interface ChoiceState {
  readonly choice: number;
  /** Made for the first call: most answers have none. */
  calls(): ToolCallAssembler;
  callCount(): number;
  /** Undefined: the text is shown as it comes. */
  readonly reader: TextReader | undefined;
  reason: FinishReason | undefined;
  usage: UpstreamUsage | undefined;
  /** Log probabilities of text that the reader still holds. */
  logprobs: TokenLogprob[];
  estimatedTokens: number;
}

/** Unknown reasons count as `stop`; these are the known ones that do not. */
const finishReasons: Readonly<Record<string, FinishReason>> = {
  length: 'length',
  max_tokens: 'length',
  model_length: 'length',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
};

/** Reasons that mean that the answer is worth nothing. */
const failedReasons = new Set(['error', 'abort', 'content_filter', 'insufficient_system_resource']);

/** Deltas up to this length count as one token; beyond it, as one per four UTF-16 units. */
const TOKEN_TEXT_LENGTH = 16;

export function createAnswerDecoder(options: AnswerDecoderOptions): AnswerDecoder {
  const states = options.choices.map((choice) => createChoiceState(choice, options));
  const [onlyState] = states.length === 1 && !options.hasLogprobs ? states : [];
  const template = onlyState === undefined ? undefined : createContentTemplate();
  let usage: UpstreamUsage | undefined;
  let lastEnded: ChoiceState | undefined;

  function addChoice(value: unknown): void {
    const wireChoice = asRecord<WireChoice>(value);
    const state = states[typeof wireChoice?.index === 'number' ? wireChoice.index : 0];
    // A choice that nobody asked for is nobody's answer.
    if (wireChoice === undefined || state === undefined) return;
    const delta = asRecord<WireDelta>(wireChoice.delta) ?? asRecord<WireDelta>(wireChoice.message);
    if (delta !== undefined) {
      if (options.hasLogprobs) state.logprobs.push(...readLogprobs(wireChoice.logprobs));
      addText(state, readContent(delta.content));
      for (const call of asList(delta.tool_calls)) state.calls().add(call);
    }
    const reason = asText(wireChoice.finish_reason);
    if (reason !== undefined) {
      state.reason = readReason(reason);
      lastEnded = state;
    }
    if (wireChoice.usage !== undefined) state.usage = readUsage(wireChoice.usage) ?? state.usage;
  }

  /** llama-server sends the usage of each choice after its end; all others, once, that of the whole answer. */
  function addUsage({ choices, usage: wireUsage }: WireChunk): void {
    const read = readUsage(wireUsage);
    if (read === undefined) return;
    usage = read;
    if (asList(choices).length === 0 && lastEnded !== undefined) lastEnded.usage ??= read;
  }

  function addText(state: ChoiceState, text: string): void {
    if (text === '') return;
    state.estimatedTokens += countTokens(text);
    if (state.reader === undefined) emitText(state, text, options.emit);
    else state.reader.feed(text);
  }

  return {
    add(json) {
      const content = template?.match(json);
      if (content !== undefined && onlyState !== undefined) {
        addText(onlyState, content);
        return;
      }
      const chunk = parseChunk(json);
      if (chunk.error !== undefined && chunk.error !== null) throw classifyStreamError(chunk.error);
      if (chunk.object === 'error') throw classifyStreamError(chunk);
      addUsage(chunk);
      for (const choice of asList(chunk.choices)) addChoice(choice);
      if (template !== undefined && isTextAlone(chunk)) template.learn(json);
    },
    isComplete: () => states.every(({ reason }) => reason !== undefined),
    finish() {
      for (const state of states) {
        if (state.reason === undefined) {
          throw new ApiError('upstream_failed', {
            message: 'The upstream engine broke off in the middle of its answer; nothing was charged.',
            internal: `the answer ended without a finish reason for choice ${state.choice}`,
          });
        }
        state.reader?.end();
        if (state.callCount() > 0) state.calls().end(state.reason === 'length');
      }
      return finishChoices(states, usage, options.emit);
    },
  };
}

function createChoiceState(choice: number, { emit, textForm, callsMax }: AnswerDecoderOptions): ChoiceState {
  const sink: ToolCallSink = {
    start: (index, name) => emit({ type: 'tool-call-start', choice, index, name }),
    delta(index, argumentsText) {
      const tokenCount = countTokens(argumentsText);
      state.estimatedTokens += tokenCount;
      emit({ type: 'tool-call-delta', choice, index, argumentsText, tokenCount });
    },
  };
  let assembler: ToolCallAssembler | undefined;
  const calls = (): ToolCallAssembler => {
    assembler ??= createToolCallAssembler(sink, callsMax);
    return assembler;
  };
  let openCall = -1;
  const reader = createReader(textForm, {
    text: (text) => emitText(state, text, emit),
    callStart: (name) => {
      openCall = calls().open(name);
    },
    callArguments: (text) => calls().extend(openCall, text),
  });
  const state: ChoiceState = {
    choice,
    calls,
    callCount: () => assembler?.callCount ?? 0,
    reader,
    reason: undefined,
    usage: undefined,
    logprobs: [],
    estimatedTokens: 0,
  };
  return state;
}

function createReader({ hasControlTokens, isCall, echo }: TextForm, sink: TextSink): TextReader | undefined {
  if (isCall) return createCallFormatReader(sink);
  const reader = hasControlTokens ? createControlTokenReader(sink) : undefined;
  if (echo === undefined) return reader;
  return createEchoReader(echo, reader ?? { feed: sink.text, end: () => undefined });
}

function emitText(state: ChoiceState, text: string, emit: AnswerDecoderOptions['emit']): void {
  const { choice, logprobs } = state;
  if (logprobs.length === 0) {
    emit({ type: 'text-delta', choice, text, tokenCount: countTokens(text) });
    return;
  }
  state.logprobs = [];
  emit({ type: 'text-delta', choice, text, logprobs, tokenCount: logprobs.length });
}

const countTokens = (text: string): number =>
  text.length <= TOKEN_TEXT_LENGTH ? 1 : Math.ceil(text.length / 4);

function parseChunk(json: string): WireChunk {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (thrown) {
    throw new ApiError('upstream_failed', {
      cause: thrown,
      internal: `the upstream sent ${json.length} characters that are no JSON`,
    });
  }
  const chunk = asRecord<WireChunk>(value);
  if (chunk === undefined)
    throw new ApiError('upstream_failed', { internal: 'the upstream sent no JSON object' });
  return chunk;
}

/** Whether a chunk says nothing but a text: what a later chunk of the same form would repeat must be nothing. */
function isTextAlone({ choices, usage, error }: WireChunk): boolean {
  const [value, ...others] = asList(choices);
  const choice = asRecord<WireChoice>(value);
  const delta = asRecord<WireDelta>(choice?.delta);
  if (choice === undefined || delta === undefined || others.length > 0) return false;
  const isBare = [usage, error, choice.usage, choice.finish_reason, delta.tool_calls].every(
    (field) => field === undefined || field === null,
  );
  return isBare && asText(delta.content) !== undefined && (choice.index === undefined || choice.index === 0);
}

/** Content is text, or a list of parts of which some are text. */
function readContent(content: unknown): string {
  if (typeof content === 'string') return content;
  return asList(content)
    .map((part) => asText(asRecord<{ readonly text?: unknown }>(part)?.text) ?? '')
    .join('');
}

function readReason(reason: string): FinishReason {
  if (failedReasons.has(reason)) {
    throw new ApiError('upstream_failed', { internal: `the upstream ended with finish reason ${reason}` });
  }
  return finishReasons[reason] ?? 'stop';
}

function finishChoices(
  states: readonly ChoiceState[],
  usage: UpstreamUsage | undefined,
  emit: AnswerDecoderOptions['emit'],
): DecodedUsage {
  const tokens = countPerChoice(states, usage);
  for (const [position, state] of states.entries()) {
    // Calls decide: some servers end them with `stop`, and calls read from control tokens always end so.
    const hasCalls = state.callCount() > 0 && state.reason !== 'length';
    const reason = hasCalls ? 'tool_calls' : (state.reason ?? 'stop');
    emit({ type: 'choice-finish', choice: state.choice, reason, completionTokens: tokens[position] ?? 0 });
  }
  const completionTokens = tokens.reduce((sum, count) => sum + count, 0);
  return { usage: usage ?? states.find((state) => state.usage !== undefined)?.usage, completionTokens };
}

/** Each choice's own count where the upstream gives it, else its share of the total, else our estimate. */
function countPerChoice(states: readonly ChoiceState[], usage: UpstreamUsage | undefined): number[] {
  if (usage === undefined || (states.length > 1 && states.every((state) => state.usage !== undefined))) {
    return states.map((state) => state.usage?.completionTokens ?? Math.ceil(state.estimatedTokens));
  }
  const estimatedTotal = states.reduce((sum, { estimatedTokens }) => sum + estimatedTokens, 0);
  let rest = usage.completionTokens;
  let restEstimated = estimatedTotal;
  // Handing out the rest in proportion makes the parts add up exactly.
  return states.map(({ estimatedTokens }, position) => {
    const isLast = position === states.length - 1;
    const share = isLast || restEstimated === 0 ? rest : Math.round((rest * estimatedTokens) / restEstimated);
    rest -= share;
    restEstimated -= estimatedTokens;
    return share;
  });
}
