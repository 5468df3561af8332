/** What a context cache holds, from the wire to the seam: a conversation that goes on in each request. */
import type { PrefixOnWire } from '../../caching/context-cache.ts';
import type { ChatRequest } from '../../chat/types.ts';
import type { ModelDirectory } from '../../engines/registry.ts';
import { decodeRequest } from './decode-request.ts';
import { invalidField } from './describe-issue.ts';

/** Throws ApiError `invalid_request`, `invalid_schema` or `model_not_found`. */
export function decodePrefix(prefix: PrefixOnWire, models: ModelDirectory): ChatRequest {
  const body = { model: prefix.modelId, messages: prefix.messages, tools: prefix.tools };
  const { request } = decodeRequest(body, { models, choiceCountMax: 1, isDeterministic: false });
  checkPrefix(request);
  return request;
}

function checkPrefix({ messages, tools }: ChatRequest): void {
  const declared = new Set(tools.map(({ name }) => name));
  for (const [index, message] of messages.entries()) {
    if (message.role !== 'assistant') continue;
    if (message.isPartial)
      throw invalidField(`messages[${index}].partial`, 'is not allowed in a context cache');
    const undeclared = message.toolCalls.findIndex(({ name }) => !declared.has(name));
    if (undeclared >= 0) {
      throw invalidField(
        `messages[${index}].tool_calls[${undeclared}]`,
        'calls a function that `tools` does not declare',
      );
    }
  }
  const builtin = tools.findIndex(({ type }) => type === 'builtin');
  if (builtin >= 0)
    throw invalidField(`tools[${builtin}]`, 'builtin tools cannot be part of a context cache');
}
