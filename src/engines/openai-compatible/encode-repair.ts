/** How an upstream that cannot be constrained is asked again, after an answer that broke a rule of the request. */
import type { ChatRequest, JsonValue } from '../../chat/types.ts';
import type { Rejection } from '../engine.ts';
import { describeCallFormat, encodeCallSchema, listDemandedTools } from './call-format.ts';
import type { UpstreamCapabilities } from './upstream-options.ts';

export interface Repair {
  /** Put after the conversation. */
  readonly messages: { readonly [key: string]: JsonValue }[];
  /** The tool whose call is demanded this time; servers constrain its arguments then. */
  readonly forcedTool: string | undefined;
  /** The call is asked for as a JSON answer with this schema, because it cannot be demanded otherwise. */
  readonly callSchema: { readonly [keyword: string]: JsonValue } | undefined;
}

/** Longest part of a refused answer that is shown to the model again, in UTF-16 units. */
const QUOTED_MAX = 4000;

/** Nothing when `rejection` is undefined: the first attempt. */
export function encodeRepair(
  request: ChatRequest,
  rejection: Rejection | undefined,
  capabilities: UpstreamCapabilities,
): Repair {
  if (rejection === undefined) return { messages: [], forcedTool: undefined, callSchema: undefined };
  const { toolChoice } = request;
  const declared = new Set(request.tools.map((tool) => tool.name));
  const refusedCall = rejection.toolCalls.find(({ name }) => declared.has(name));
  const isCallDemanded = toolChoice.type === 'required' || toolChoice.type === 'named';
  const isCallWanted = isCallDemanded || (refusedCall !== undefined && toolChoice.type === 'auto');
  const reproach = describeRejection(rejection, refusedCall?.argumentsText ?? rejection.text);

  if (isCallWanted && !capabilities.toolChoiceRequired && capabilities.jsonSchema) {
    const tools = listDemandedTools(
      request,
      toolChoice.type === 'named' ? toolChoice.name : refusedCall?.name,
    );
    const messages = [say(`${reproach}\n${describeCallFormat(tools)}`)];
    return { messages, forcedTool: undefined, callSchema: encodeCallSchema(tools) };
  }
  if (refusedCall === undefined && isCallDemanded && !capabilities.toolChoiceRequired) {
    // The words that Moonshot's own documentation recommends for models without `required`.
    const messages = [say('Please select a tool to handle the current issue.')];
    return { messages, forcedTool: undefined, callSchema: undefined };
  }
  const forcedTool = isCallDemanded || !isCallWanted ? undefined : refusedCall?.name;
  return { messages: [say(reproach)], forcedTool, callSchema: undefined };
}

function describeRejection({ reason }: Rejection, quoted: string): string {
  return [
    'Your last answer was refused and not shown to anybody. Answer again, with this mended:',
    reason,
    ...(quoted === '' ? [] : [`The refused answer was: ${quoted.slice(0, QUOTED_MAX)}`]),
  ].join('\n');
}

const say = (content: string) => ({ role: 'user', content });
