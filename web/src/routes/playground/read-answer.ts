/** Chunks of a stream → the answers they add up to, one per choice, with their numbers and times. */
import { ApiFailure } from '../../api/api-failure.ts';
import type { ChatStream } from '../../api/stream-chat.ts';
import type { ChatChunk } from '../../api/wire-types.ts';
import type { AnswerNode, ToolCall } from './conversation.ts';

type ChunkChoice = ChatChunk['choices'][number];

export interface ReadAnswerOptions {
  /** The empty answers that are filled, by choice index. */
  readonly answers: readonly AnswerNode[];
  /** Sends the request. */
  open(): Promise<ChatStream>;
  readonly signal: AbortSignal;
  /** Milliseconds of a clock that never jumps. */
  now(): number;
  /** Called with every change of any answer. */
  onChange(answers: readonly AnswerNode[]): void;
  /** Called with each chunk as it came, for “raw response”. */
  onChunk?(chunk: ChatChunk): void;
}

/** Resolves, never rejects: how it ended stands in the answers. */
export async function readAnswer(options: ReadAnswerOptions): Promise<readonly AnswerNode[]> {
  const { signal, now, onChange } = options;
  const startedMs = now();
  let answers = options.answers;
  const finish = (change: (answer: AnswerNode) => AnswerNode): readonly AnswerNode[] => {
    answers = answers.map((answer) => change({ ...answer, totalMs: now() - startedMs }));
    onChange(answers);
    return answers;
  };
  try {
    const stream = await options.open();
    answers = answers.map((answer) => ({ ...answer, inferenceId: stream.inferenceId }));
    for await (const chunk of stream.chunks) {
      options.onChunk?.(chunk);
      answers = answers.map((answer, index) =>
        applyChunk(answer, chunk, { index, elapsedMs: now() - startedMs }),
      );
      onChange(answers);
    }
    return finish((answer) => ({ ...answer, state: 'complete' }));
  } catch (error) {
    if (signal.aborted) return finish((answer) => ({ ...answer, state: 'stopped' }));
    return finish((answer) => ({ ...answer, state: 'failed', failure: describeFailure(error) }));
  }
}

function describeFailure(error: unknown): NonNullable<AnswerNode['failure']> {
  if (error instanceof ApiFailure) {
    return { code: error.code, message: error.message, requestId: error.requestId };
  }
  return {
    code: 'unknown',
    message: error instanceof Error ? error.message : String(error),
    requestId: undefined,
  };
}

function applyChunk(
  answer: AnswerNode,
  chunk: ChatChunk,
  { index, elapsedMs }: { readonly index: number; readonly elapsedMs: number },
): AnswerNode {
  const choice = chunk.choices.find((each) => each.index === index);
  const withChoice = choice === undefined ? answer : applyChoice(answer, choice, elapsedMs);
  const costUsd = chunk.meta?.usage.usd_spent;
  // The usage of the whole request has the prompt; a choice's own completion tokens came with its last chunk.
  if (chunk.usage === null || chunk.usage === undefined) return withChoice;
  return {
    ...withChoice,
    numbers: {
      promptTokens: chunk.usage.prompt_tokens,
      cachedTokens: chunk.usage.cached_tokens,
      completionTokens: withChoice.numbers?.completionTokens ?? chunk.usage.completion_tokens,
      costUsd,
    },
  };
}

function applyChoice(
  answer: AnswerNode,
  { delta, finish_reason, usage }: ChunkChoice,
  elapsedMs: number,
): AnswerNode {
  const { content = '', tool_calls: calls = [] } = delta;
  const hasOutput = content !== '' || calls.length > 0;
  return {
    ...answer,
    text: answer.text + content,
    toolCalls: calls.reduce(applyCall, answer.toolCalls),
    // Citations come once, in the choice's last chunk.
    annotations: [...answer.annotations, ...(delta.annotations ?? [])],
    firstTokenMs: answer.firstTokenMs ?? (hasOutput ? elapsedMs : undefined),
    finishReason: finish_reason ?? answer.finishReason,
    numbers:
      usage === undefined
        ? answer.numbers
        : {
            promptTokens: usage.prompt_tokens,
            cachedTokens: usage.cached_tokens,
            completionTokens: usage.completion_tokens,
            costUsd: answer.numbers?.costUsd,
          },
  };
}

type CallDelta = NonNullable<ChunkChoice['delta']['tool_calls']>[number];

function applyCall(
  calls: readonly ToolCall[],
  { index, id, function: part }: CallDelta,
): readonly ToolCall[] {
  const known = calls[index] ?? { id: '', name: '', argumentsText: '' };
  const next: ToolCall = {
    id: id ?? known.id,
    name: part.name ?? known.name,
    argumentsText: known.argumentsText + (part.arguments ?? ''),
  };
  return calls[index] === undefined
    ? [...calls, next]
    : calls.map((call, place) => (place === index ? next : call));
}
