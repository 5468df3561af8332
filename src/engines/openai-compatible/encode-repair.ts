/** How an upstream that cannot be constrained is asked again, after an answer that broke a rule of the request. */
import type { ChatRequest, JsonValue } from '../../chat/types.ts';
import type { Rejection } from '../engine.ts';
import type { UpstreamCapabilities } from './upstream-options.ts';

export interface Repair {
  /** Put after the conversation. */
  readonly messages: { readonly [key: string]: JsonValue }[];
  /** The tool whose call is demanded this time; servers constrain its arguments then. */
  readonly forcedTool: string | undefined;
}

/** Longest part of a refused answer that is shown to the model again, in UTF-16 units. */
const QUOTED_MAX = 4000;

export function encodeRepair(
  request: ChatRequest,
  rejection: Rejection | undefined,
  capabilities: UpstreamCapabilities,
): Repair {
  if (rejection === undefined) return { messages: [], forcedTool: undefined };
  const declared = new Set(request.tools.map((tool) => tool.name));
  const refusedCall = rejection.toolCalls.find(({ name }) => declared.has(name));
  const isCallWanted = request.toolChoice.type === 'required' || request.toolChoice.type === 'named';
  if (refusedCall === undefined && isCallWanted && !capabilities.toolChoiceRequired) {
    // The words that Moonshot's own documentation recommends for models without `required`.
    return { messages: [say('Please select a tool to handle the current issue.')], forcedTool: undefined };
  }
  const quoted = refusedCall?.argumentsText ?? rejection.text;
  const content = [
    'Your last answer was refused and not shown to anybody. Answer again, with this mended:',
    rejection.reason,
    ...(quoted === '' ? [] : [`The refused answer was: ${quoted.slice(0, QUOTED_MAX)}`]),
  ].join('\n');
  const isForced = refusedCall !== undefined && request.toolChoice.type === 'auto';
  return { messages: [say(content)], forcedTool: isForced ? refusedCall.name : undefined };
}

const say = (content: string) => ({ role: 'user', content });
