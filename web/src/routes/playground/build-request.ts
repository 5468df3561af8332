import type { ChatMessage, ChatRequestBody, ChatTool } from '../../api/wire-types.ts';
import type { ConversationNode } from './conversation.ts';
import { encodeFormat, encodeToolChoice, type Settings } from './settings.ts';

export const webSearchName = '$web_search';

/** What is wrong with an editor's text, and which editor. */
export class SettingsFault extends Error {
  readonly editor: 'schema' | 'tools';
  constructor(editor: 'schema' | 'tools', cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'SettingsFault';
    this.editor = editor;
  }
}

/** The request for the answer below `path`. Throws SettingsFault when an editor holds no JSON of the needed shape. */
export function buildRequest(settings: Settings, path: readonly ConversationNode[]): ChatRequestBody {
  const { model, systemPrompt, parameters, stop } = settings;
  const system: ChatMessage[] = systemPrompt.trim() === '' ? [] : [{ role: 'system', content: systemPrompt }];
  const tools = readTools(settings);
  const format = readFormat(settings);
  const toolChoice = encodeToolChoice(settings);
  // Every request that is forced to call a tool ends in a call: with the results, the model is to answer.
  const isForced = toolChoice === 'required' && path.at(-1)?.role === 'tool';
  return {
    model,
    messages: [...system, ...path.flatMap(encodeNode)],
    stream: true,
    stream_options: { include_usage: true },
    ...parameters,
    // The wire wants both; a person chooses how many alternatives to see.
    ...(parameters.top_logprobs === undefined ? {} : { logprobs: true }),
    ...(stop.length === 0 ? {} : { stop: [...stop] }),
    ...(format === undefined ? {} : { response_format: format }),
    ...(tools.length === 0 ? {} : { tools }),
    ...(toolChoice === undefined || isForced ? {} : { tool_choice: toolChoice }),
  };
}

/** Headers that belong to the settings rather than to the body. */
export function buildHeaders({ isDeterministic }: Settings): Readonly<Record<string, string>> {
  return isDeterministic ? { 'x-perigee-deterministic': 'true' } : {};
}

function encodeNode(node: ConversationNode): readonly ChatMessage[] {
  switch (node.role) {
    case 'user':
      return [{ role: 'user', content: node.text }];
    case 'tool':
      return node.results.map(({ callId, name, content }) => ({
        role: 'tool',
        tool_call_id: callId,
        name,
        content,
      }));
    case 'assistant':
      // Failed, or stopped before its first token: the API refuses a message that says nothing.
      if (node.text === '' && node.toolCalls.length === 0) return [];
      return [
        {
          role: 'assistant',
          content: node.text,
          ...(node.toolCalls.length === 0
            ? {}
            : {
                tool_calls: node.toolCalls.map(({ id, name, argumentsText }) => ({
                  id,
                  type: 'function' as const,
                  function: { name, arguments: argumentsText },
                })),
              }),
        },
      ];
    default:
      return node satisfies never;
  }
}

function readTools({ areToolsOn, toolsText, isWebSearchOn }: Settings): ChatTool[] {
  const search: ChatTool[] = isWebSearchOn
    ? [{ type: 'builtin_function', function: { name: webSearchName } }]
    : [];
  if (!areToolsOn) return search;
  try {
    const tools: unknown = JSON.parse(toolsText);
    if (!Array.isArray(tools)) throw new TypeError('a list of tools is expected: [ … ]');
    return [...search, ...(tools as ChatTool[])]; // The server judges each of them.
  } catch (error) {
    throw new SettingsFault('tools', error);
  }
}

function readFormat(settings: Settings): ReturnType<typeof encodeFormat> {
  try {
    return encodeFormat(settings);
  } catch (error) {
    throw new SettingsFault('schema', error);
  }
}
