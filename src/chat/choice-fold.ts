/** Assembles one choice from its events, exactly as a streaming client does. */
import type { ChatEvent, FinishReason, TokenLogprob, ToolCall, UrlCitation } from './types.ts';

/** The events that belong to one choice. */
export type ChoiceEvent = Extract<ChatEvent, { choice: number }>;

export interface FoldedChoice {
  readonly text: string;
  readonly logprobs: readonly TokenLogprob[];
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: FinishReason;
  readonly completionTokens: number;
  readonly annotations?: readonly UrlCitation[];
}

export interface ChoiceFold {
  /** Throws a plain Error on an event that no engine may produce (a delta of a call that was never started). */
  add(event: ChoiceEvent): void;
  /** Undefined until `choice-finish` was added. */
  result(): FoldedChoice | undefined;
}

export function createChoiceFold(): ChoiceFold {
  let text = '';
  const logprobs: TokenLogprob[] = [];
  const toolCalls: { id: string; name: string; argumentsText: string }[] = [];
  let finish: Extract<ChoiceEvent, { type: 'choice-finish' }> | undefined;

  return {
    add(event) {
      switch (event.type) {
        case 'text-delta':
          text += event.text;
          // One by one: an answer that was held back comes whole, with more than a call takes arguments.
          for (const logprob of event.logprobs ?? []) logprobs.push(logprob);
          return;
        case 'tool-call-start':
          if (event.index !== toolCalls.length)
            throw new Error(`Tool call ${event.index} started out of order.`);
          toolCalls.push({ id: event.id, name: event.name, argumentsText: '' });
          return;
        case 'tool-call-delta': {
          const call = toolCalls[event.index];
          if (call === undefined) throw new Error(`Tool call ${event.index} went on before it started.`);
          call.argumentsText += event.argumentsText;
          return;
        }
        case 'choice-finish':
          finish = event;
          return;
        default:
          event satisfies never;
      }
    },
    result: () =>
      finish && {
        text,
        logprobs,
        toolCalls,
        finishReason: finish.reason,
        completionTokens: finish.completionTokens,
        ...(finish.annotations !== undefined && { annotations: finish.annotations }),
      },
  };
}
