/**
 * The conversation as a chat template wants it: caller text protected, ids of tool calls in Kimi's form, results in
 * the order of their calls, and the instructions that a tool or a JSON answer needs where the template has none.
 */
import type { ChatMessage, ChatRequest, JsonValue, OutputFormat, ToolCall } from '../../chat/types.ts';
import { parseJson } from '../../parse-json.ts';
import type { ControlText } from './control-text.ts';
import type { ToolRendering } from './template-probe.ts';
import { describeToolsForPrompt, writeToolCall, writeToolResult } from './tool-formats/hermes-prompt.ts';

/** In the words of the templates: `tool_calls` and `tool_call_id` are their names. */
export interface TemplateMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
  readonly name?: string;
  readonly tool_calls?: readonly TemplateToolCall[];
  readonly tool_call_id?: string;
}

interface TemplateToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: JsonValue };
}

export interface TemplateTool {
  readonly type: 'function';
  readonly function: { readonly [key: string]: JsonValue };
}

/** What the model's template can do by itself. */
export interface TemplateAbilities {
  /** Undefined: it cannot show tools in the form that our grammar produces, so the system text explains them. */
  readonly toolRendering: ToolRendering;
  /** A system text that the template adds only when the caller gives none. */
  readonly defaultSystemText: string | undefined;
  /** What conversations without any system message get instead of it. */
  readonly replacedSystemText: string | undefined;
}

export interface TemplateConversation {
  readonly messages: readonly TemplateMessage[];
  /** Empty when there are none, or when the template cannot show them and the system text does. */
  readonly tools: readonly TemplateTool[];
}

export function buildConversation(
  request: ChatRequest,
  abilities: TemplateAbilities,
  control: ControlText,
): TemplateConversation {
  // With `none` the model is not told of tools it must not call; earlier calls stay part of the conversation.
  const tools = request.toolChoice.type === 'none' ? [] : listTools(request, control);
  const history = normaliseToolHistory(request.messages);
  const messages = history.map((message) => encodeMessage(message, abilities, control));
  const instructions = describeAnswer(request.outputFormat, control);
  if (tools.length > 0 && abilities.toolRendering === undefined) {
    instructions.unshift(describeToolsForPrompt(tools.map((tool) => JSON.stringify(tool))));
  }
  return {
    messages:
      instructions.length === 0
        ? addSystemText(messages, abilities)
        : addInstructions(messages, instructions, abilities),
    tools: abilities.toolRendering === undefined ? [] : tools,
  };
}

function listTools(request: ChatRequest, control: ControlText): TemplateTool[] {
  return request.tools.flatMap((tool): TemplateTool[] => {
    if (tool.type !== 'function') return [];
    const description = tool.description === undefined ? {} : { description: tool.description };
    const declared = {
      name: tool.name,
      ...description,
      parameters: tool.parameters ?? { type: 'object', properties: {} },
    };
    // protectJson keeps the shape; an object comes back as an object.
    return [{ type: 'function', function: control.protectJson(declared) as TemplateTool['function'] }];
  });
}

/**
 * Gives every call the id `functions.NAME:IDX`, IDX counting over the conversation, whatever ids the caller
 * used: models continue with the form they see. Results follow in the order of the calls they answer.
 */
function normaliseToolHistory(messages: readonly ChatMessage[]): ChatMessage[] {
  const normalised: ChatMessage[] = [];
  let callCount = 0;
  let turnIds = new Map<string, { id: string; order: number }>();
  let turnResults: { message: ChatMessage; order: number }[] = [];
  const endTurn = (): void => {
    turnResults.sort((left, right) => left.order - right.order);
    normalised.push(...turnResults.map((result) => result.message));
    turnResults = [];
  };
  for (const message of messages) {
    if (message.role === 'tool') {
      const known = turnIds.get(message.toolCallId);
      const renamed = { ...message, toolCallId: known?.id ?? message.toolCallId };
      turnResults.push({ message: renamed, order: known?.order ?? turnIds.size });
      continue;
    }
    endTurn();
    if (message.role !== 'assistant' || message.toolCalls.length === 0) {
      normalised.push(message);
      continue;
    }
    turnIds = new Map();
    const toolCalls: ToolCall[] = [];
    for (const call of message.toolCalls) {
      const id = `functions.${call.name}:${callCount++}`;
      turnIds.set(call.id, { id, order: toolCalls.length });
      toolCalls.push({ ...call, id });
    }
    normalised.push({ ...message, toolCalls });
  }
  endTurn();
  return normalised;
}

function encodeMessage(
  message: ChatMessage,
  abilities: TemplateAbilities,
  control: ControlText,
): TemplateMessage {
  const { toolRendering } = abilities;
  const name = message.name === undefined ? {} : { name: control.protect(message.name) };
  const content = control.protect(message.text);
  switch (message.role) {
    case 'system':
    case 'user':
      return { role: message.role, content, ...name };
    case 'tool':
      return toolRendering === undefined
        ? { role: 'user', content: writeToolResult(content) }
        : { role: 'tool', content, ...name, tool_call_id: control.protect(message.toolCallId) };
    case 'assistant': {
      if (message.toolCalls.length === 0) return { role: 'assistant', content, ...name };
      if (toolRendering !== undefined) {
        const calls = message.toolCalls.map((call) => encodeToolCall(call, toolRendering, control));
        return { role: 'assistant', content, ...name, tool_calls: calls };
      }
      const written = message.toolCalls.map((call) =>
        writeToolCall(control.protect(call.name), control.protect(call.argumentsText)),
      );
      return {
        role: 'assistant',
        content: [...(content === '' ? [] : [content]), ...written].join('\n'),
        ...name,
      };
    }
    default:
      return message satisfies never;
  }
}

function encodeToolCall(
  call: ToolCall,
  rendering: NonNullable<ToolRendering>,
  control: ControlText,
): TemplateToolCall {
  const parsed = rendering.takesArgumentsText ? undefined : parseJson(call.argumentsText);
  return {
    id: control.protect(call.id),
    type: 'function',
    function: {
      name: control.protect(call.name),
      arguments: parsed === undefined ? control.protect(call.argumentsText) : control.protectJson(parsed),
    },
  };
}

function describeAnswer(format: OutputFormat, control: ControlText): string[] {
  if (format.type === 'text') return [];
  if (format.type === 'json-object') return ['Answer with one JSON object and nothing else.'];
  const about = [format.name, ...(format.description === undefined ? [] : [format.description])].join(': ');
  const schema = JSON.stringify(control.protectJson(format.schema));
  return [
    `Answer with one JSON value and nothing else. It is a ${control.protect(about)}\nIt must be valid against this JSON Schema:\n${schema}`,
  ];
}

function addSystemText(
  messages: readonly TemplateMessage[],
  { replacedSystemText }: TemplateAbilities,
): readonly TemplateMessage[] {
  if (replacedSystemText === undefined || messages[0]?.role === 'system') return messages;
  return [{ role: 'system', content: replacedSystemText }, ...messages];
}

function addInstructions(
  messages: readonly TemplateMessage[],
  instructions: readonly string[],
  abilities: TemplateAbilities,
): TemplateMessage[] {
  const [first, ...others] = messages;
  if (first?.role === 'system') {
    return [{ ...first, content: [first.content, ...instructions].join('\n\n') }, ...others];
  }
  const { defaultSystemText } = abilities;
  const content = [...(defaultSystemText === undefined ? [] : [defaultSystemText]), ...instructions].join(
    '\n\n',
  );
  return [{ role: 'system', content }, ...messages];
}
