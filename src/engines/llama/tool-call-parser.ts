/**
 * Reads the output of one choice as text and tool calls. The parsers of the two formats live in `tool-formats/`;
 * this file has what they share.
 */
import type { TokenLogprob } from '../../chat/types.ts';
import type { OutputPiece } from './protocol.ts';

/** What a piece of output turned out to be; the engine adds the number of the choice. */
export type ParsedOutput =
  | { readonly type: 'text-delta'; readonly text: string; readonly logprobs?: readonly TokenLogprob[] }
  | { readonly type: 'tool-call-start'; readonly index: number; readonly name: string }
  | { readonly type: 'tool-call-delta'; readonly index: number; readonly argumentsText: string };

export interface ToolCallParser {
  push(piece: OutputPiece): ParsedOutput[];
  /** What was held back at the end of the output. */
  flush(): ParsedOutput[];
  /** Calls whose end was seen. */
  readonly completeCalls: number;
  /** A call was begun and did not reach its end. */
  readonly hasUnfinishedCall: boolean;
}

/** Numbers the calls of one answer and knows whether the last one is whole. */
export interface CallCounter {
  start(name: string): ParsedOutput;
  argumentsDelta(text: string): ParsedOutput[];
  end(): void;
  readonly isOpen: boolean;
  readonly completeCalls: number;
}

export function createCallCounter(): CallCounter {
  let started = 0;
  let complete = 0;
  return {
    start(name) {
      started++;
      return { type: 'tool-call-start', index: started - 1, name };
    },
    argumentsDelta: (text) =>
      text === '' ? [] : [{ type: 'tool-call-delta', index: started - 1, argumentsText: text }],
    end() {
      complete = started;
    },
    get isOpen() {
      return complete < started;
    },
    get completeCalls() {
      return complete;
    },
  };
}

/** An event for ordinary text; none when there is nothing in it. */
export function textDelta(text: string, logprobs: readonly TokenLogprob[] | undefined): ParsedOutput[] {
  const isEmpty = text === '' && (logprobs === undefined || logprobs.length === 0);
  if (isEmpty) return [];
  return [logprobs === undefined ? { type: 'text-delta', text } : { type: 'text-delta', text, logprobs }];
}

/** Whether a special token opens or closes a model's private reasoning, which is no part of the answer. */
export function readReasoningMark(token: string): 'begin' | 'end' | undefined {
  if (token === '<think>') return 'begin';
  return token === '</think>' ? 'end' : undefined;
}
