/** Requests for tests: every field at its default, but the given ones. */
import type { ChatRequest, JsonSchema, ToolDeclaration } from '../types.ts';

export const chatRequest = (fields: Partial<ChatRequest>): ChatRequest => ({
  modelId: 'moonshot/kimi-k2-turbo-preview',
  messages: [{ role: 'user', text: 'Hello', name: undefined }],
  tools: [],
  toolChoice: { type: 'auto' },
  isParallelToolCallsAllowed: true,
  outputFormat: { type: 'text' },
  choiceCount: 1,
  sampling: { temperature: 0.6, topP: 1, presencePenalty: 0, frequencyPenalty: 0, seed: undefined },
  stop: [],
  outputTokensMax: undefined,
  logprobs: undefined,
  cacheHint: undefined,
  isDeterministic: false,
  ...fields,
});

export const functionTool = (
  name: string,
  parameters: JsonSchema | undefined,
): Extract<ToolDeclaration, { type: 'function' }> => ({
  type: 'function',
  name,
  description: undefined,
  parameters,
  isStrict: true,
});
