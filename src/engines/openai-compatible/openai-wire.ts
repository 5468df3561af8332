/**
 * The request body as upstream servers read it. The only place, with the decoders, where their snake_case lives.
 * Nothing that the caller sent and we do not know is ever passed on.
 */
import { createHash } from 'node:crypto';
import type { ChatMessage, ChatRequest, JsonValue, ToolDeclaration } from '../../chat/types.ts';
import type { RunOptions } from '../engine.ts';
import { encodeRepair } from './encode-repair.ts';
import type { Upstream } from './upstream-options.ts';

export type WireObject = { readonly [key: string]: JsonValue };

/** Mixed into the seed of repeated attempts; a prime, so that attempts of different choices never coincide. */
const ATTEMPT_STRIDE = 1_000_003;

export interface EncodedRequest {
  /** Of `POST /chat/completions`. */
  readonly body: WireObject;
  /** True: a tool call was asked for as a JSON answer, and the text must be read as one. */
  readonly isCallFormat: boolean;
}

/** What is run, and for whom. */
export type AccountRun = RunOptions & { readonly accountId: number };

/** The request for some choices of one attempt. */
export function encodeRequest(request: ChatRequest, run: AccountRun, upstream: Upstream): EncodedRequest {
  const { capabilities } = upstream;
  const repair = encodeRepair(request, run.rejection, capabilities);
  const messages = [
    ...encodeMessages(request.messages, upstream),
    ...encodeFormatInstruction(request, upstream),
    ...repair.messages,
  ];
  const body = {
    model: upstream.model,
    messages: keepPartialLast(messages, request.messages.at(-1)),
    stream: true,
    ...(capabilities.streamUsage && { stream_options: { include_usage: true } }),
    [upstream.outputTokensField]: run.outputTokensMax,
    ...(run.choices.length > 1 && { n: run.choices.length }),
    ...encodeSampling(request, run),
    ...(repair.callSchema === undefined
      ? { ...encodeTools(request, upstream, repair.forcedTool), ...encodeFormat(request, upstream) }
      : encodeCallFormat(repair.callSchema)),
    ...encodePartial(request, upstream),
    ...(request.stop.length > 0 && { stop: request.stop }),
    ...(request.logprobs !== undefined && { logprobs: true, top_logprobs: request.logprobs.topCount }),
    ...(capabilities.promptCacheKey &&
      request.cacheHint !== undefined && { prompt_cache_key: request.cacheHint }),
    ...(capabilities.cacheSalt && { cache_salt: saltOf(run.accountId) }),
  };
  return { body, isCallFormat: repair.callSchema !== undefined };
}

/** The same for all requests of an account, and no account number of ours. */
function saltOf(accountId: number): string {
  return createHash('sha256').update(`perigee account ${accountId}`).digest('hex').slice(0, 32);
}

function encodeSampling({ sampling }: ChatRequest, run: RunOptions): WireObject {
  const { seed } = sampling;
  const choice = run.choices[0] ?? 0;
  return {
    temperature: sampling.temperature,
    top_p: sampling.topP,
    ...(sampling.presencePenalty !== 0 && { presence_penalty: sampling.presencePenalty }),
    ...(sampling.frequencyPenalty !== 0 && { frequency_penalty: sampling.frequencyPenalty }),
    ...(seed !== undefined && { seed: seed + choice + run.attempt * ATTEMPT_STRIDE }),
  };
}

/** The messages as the upstream reads them; also what its token counter is given. */
export function encodeMessages(messages: readonly ChatMessage[], upstream: Upstream): WireObject[] {
  const toolIds = createToolIds(upstream.toolIdStyle);
  return messages.map((message) => {
    const name = message.name === undefined ? {} : { name: message.name };
    switch (message.role) {
      case 'system':
      case 'user':
        return { role: message.role, content: message.text, ...name };
      case 'assistant':
        return {
          role: 'assistant',
          // Some chat templates print an empty text next to tool calls literally, so it is left out there.
          ...((message.text !== '' || message.toolCalls.length === 0) && { content: message.text }),
          ...name,
          ...(message.isPartial && upstream.capabilities.partial === 'moonshot' && { partial: true }),
          ...(message.toolCalls.length > 0 && {
            tool_calls: message.toolCalls.map((call) => ({
              id: toolIds.ofCall(call.id, call.name),
              type: 'function',
              // Servers parse the arguments of the history, and an empty text is no JSON.
              function: { name: call.name, arguments: call.argumentsText === '' ? '{}' : call.argumentsText },
            })),
          }),
        };
      case 'tool':
        return {
          role: 'tool',
          tool_call_id: toolIds.ofResult(message.toolCallId),
          content: message.text,
          ...name,
        };
      default:
        return message satisfies never;
    }
  });
}

/**
 * Kimi K2 has only ever seen `functions.name:idx` in its history, idx counting over the conversation; with other
 * ids it answers in a form that parsers throw away. Ids need only be unique within one turn, so a later call may
 * take over an id.
 */
function createToolIds(style: Upstream['toolIdStyle']) {
  const renamed = new Map<string, string>();
  let counter = 0;
  return {
    ofCall(id: string, name: string): string {
      if (style === 'as-sent') return id;
      const kimiId = `functions.${name}:${counter}`;
      counter += 1;
      renamed.set(id, kimiId);
      return kimiId;
    },
    ofResult: (id: string): string => renamed.get(id) ?? id,
  };
}

/** The declarations as the upstream reads them. */
export function encodeToolDeclarations(tools: readonly ToolDeclaration[]): WireObject[] {
  return tools.flatMap((tool) => {
    if (tool.type !== 'function') return [];
    const parameters =
      typeof tool.parameters === 'object' ? tool.parameters : { type: 'object', properties: {} };
    const description = tool.description === undefined ? {} : { description: tool.description };
    return [{ type: 'function', function: { name: tool.name, ...description, parameters } }];
  });
}

function encodeTools(request: ChatRequest, upstream: Upstream, forcedTool: string | undefined): WireObject {
  if (request.tools.length === 0) return {};
  const { toolChoiceRequired, parallelToolCalls } = upstream.capabilities;
  const named = request.toolChoice.type === 'named' ? request.toolChoice.name : forcedTool;
  // An upstream that cannot be forced is at least shown no other tool.
  const isNarrowed = named !== undefined && !toolChoiceRequired;
  const shown = isNarrowed
    ? request.tools.filter((tool) => tool.type === 'function' && tool.name === named)
    : request.tools;
  return {
    tools: encodeToolDeclarations(shown),
    tool_choice: encodeToolChoice(request, named, toolChoiceRequired),
    ...(parallelToolCalls && !request.isParallelToolCallsAllowed && { parallel_tool_calls: false }),
  };
}

function encodeToolChoice(request: ChatRequest, named: string | undefined, canForce: boolean): JsonValue {
  if (named !== undefined && canForce) return { type: 'function', function: { name: named } };
  if (request.toolChoice.type === 'none') return 'none';
  return request.toolChoice.type === 'required' && canForce ? 'required' : 'auto';
}

function encodeFormat({ outputFormat }: ChatRequest, { capabilities }: Upstream): WireObject {
  if (outputFormat.type === 'text') return {};
  if (outputFormat.type === 'json-schema' && capabilities.jsonSchema) {
    const { name, description, schema, isStrict } = outputFormat;
    const json_schema = { name, ...(description !== undefined && { description }), schema, strict: isStrict };
    return { response_format: { type: 'json_schema', json_schema } };
  }
  return capabilities.jsonObject ? { response_format: { type: 'json_object' } } : {};
}

/** Without the tools: servers refuse a tool list beside a schema of the answer. */
const encodeCallFormat = (schema: WireObject): WireObject => ({
  response_format: { type: 'json_schema', json_schema: { name: 'call', schema, strict: true } },
});

/** What `response_format` cannot say to this upstream is said in words. */
function encodeFormatInstruction({ outputFormat }: ChatRequest, { capabilities }: Upstream): WireObject[] {
  if (outputFormat.type === 'json-schema' && !capabilities.jsonSchema) {
    const schema = JSON.stringify(outputFormat.schema);
    const content = `Answer with one JSON value that is valid against this JSON Schema, and nothing else: ${schema}`;
    return [{ role: 'system', content }];
  }
  if (outputFormat.type === 'json-object' && !capabilities.jsonObject) {
    return [{ role: 'system', content: 'Answer with one JSON object and nothing else.' }];
  }
  return [];
}

/** A message to be continued stays the last one, whatever was added after it. */
function keepPartialLast(messages: WireObject[], last: ChatMessage | undefined): WireObject[] {
  if (last?.role !== 'assistant' || !last.isPartial) return messages;
  const position = messages.findLastIndex(({ role }) => role === 'assistant');
  return [
    ...messages.slice(0, position),
    ...messages.slice(position + 1),
    ...messages.slice(position, position + 1),
  ];
}

function encodePartial(request: ChatRequest, { capabilities }: Upstream): WireObject {
  const last = request.messages.at(-1);
  if (last?.role !== 'assistant' || !last.isPartial) return {};
  return capabilities.partial === 'continue'
    ? { continue_final_message: true, add_generation_prompt: false }
    : {};
}
