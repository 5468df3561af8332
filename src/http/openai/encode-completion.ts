import type { Charge } from '../../billing/meter.ts';
import type { FoldedChoice } from '../../chat/choice-fold.ts';
import type { CollectedCompletion } from '../../chat/collect.ts';
import type { CompletionIdentity } from './completion-identity.ts';
import { encodeAnnotations } from './encode-annotations.ts';
import { encodeLogprobs } from './encode-logprobs.ts';
import { encodeCost, encodeUsage } from './encode-usage.ts';

export interface CompletionToEncode {
  readonly identity: CompletionIdentity;
  readonly completion: CollectedCompletion;
  readonly charge: Charge;
  /** Whether log probabilities were asked for. */
  readonly hasLogprobs: boolean;
}

/** The body of an answer that is not streamed. */
export function encodeCompletion({ identity, completion, charge, hasLogprobs }: CompletionToEncode): string {
  return JSON.stringify({
    id: identity.id,
    object: 'chat.completion',
    created: identity.created,
    model: identity.model,
    system_fingerprint: identity.systemFingerprint,
    choices: completion.choices.map((choice, index) => ({
      index,
      message: encodeMessage(choice),
      logprobs: hasLogprobs ? encodeLogprobs(choice.logprobs) : null,
      finish_reason: choice.finishReason,
    })),
    usage: encodeUsage(completion.usage),
    meta: { usage: encodeCost(charge) },
  });
}

function encodeMessage(choice: FoldedChoice) {
  return {
    role: 'assistant',
    content: choice.text,
    refusal: null,
    annotations: choice.annotations === undefined ? null : encodeAnnotations(choice.annotations),
    ...(choice.toolCalls.length > 0 && {
      tool_calls: choice.toolCalls.map((call) => ({
        id: call.id,
        type: 'function',
        function: { name: call.name, arguments: call.argumentsText },
      })),
    }),
  };
}

const noUsage = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, source: 'engine' } as const;

/** The answer to a request that was only to be looked at: no choices, and nothing used. */
export function encodeDryRun(identity: CompletionIdentity, isStream: boolean): object {
  return {
    id: identity.id,
    object: isStream ? 'chat.completion.chunk' : 'chat.completion',
    created: identity.created,
    model: identity.model,
    choices: [],
    usage: encodeUsage(noUsage),
    system_fingerprint: identity.systemFingerprint,
  };
}
