/** Requests for the tests of this folder: complete, valid, and short to vary. */
import type { ChatMessage, ChatRequest, JsonSchema, ToolCall, ToolDeclaration } from '../../../chat/types.ts';

export function user(text: string, name?: string): ChatMessage {
  return { role: 'user', text, name };
}

export function system(text: string, name?: string): ChatMessage {
  return { role: 'system', text, name };
}

export function assistant(
  text: string,
  more: { name?: string; toolCalls?: readonly ToolCall[]; isPartial?: boolean } = {},
): ChatMessage {
  const { name, toolCalls = [], isPartial = false } = more;
  return { role: 'assistant', text, name, toolCalls, isPartial };
}

export function toolResult(toolCallId: string, text: string, name?: string): ChatMessage {
  return { role: 'tool', text, name, toolCallId };
}

export function declareTool(name: string, parameters?: JsonSchema, isStrict = true): ToolDeclaration {
  return { type: 'function', name, description: undefined, parameters, isStrict };
}

export function chatRequest(
  messages: readonly ChatMessage[],
  changes: Partial<ChatRequest> = {},
): ChatRequest {
  return {
    modelId: 'moonshot/kimi-k2-turbo-preview',
    messages,
    tools: [],
    toolChoice: { type: 'auto' },
    isParallelToolCallsAllowed: true,
    outputFormat: { type: 'text' },
    choiceCount: 1,
    sampling: { temperature: 0.6, topP: 1, presencePenalty: 0, frequencyPenalty: 0, seed: 7 },
    stop: [],
    outputTokensMax: undefined,
    logprobs: undefined,
    cacheHint: undefined,
    isDeterministic: false,
    ...changes,
  };
}
