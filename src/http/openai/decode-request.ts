/** Wire request → ChatRequest. snake_case ends here; everything behind this file may trust every field. */
import type {
  ChatMessage,
  ChatRequest,
  OutputFormat,
  ToolChoice,
  ToolDeclaration,
} from '../../chat/types.ts';
import type { ModelDirectory, ServedModel } from '../../engines/registry.ts';
import { ApiError } from '../../errors.ts';
import { checkJsonSchema, invalidSchema } from './check-json-schema.ts';
import { describeIssues, invalidField } from './describe-issue.ts';
import {
  chatCompletionRequestSchema,
  type WireChatRequest,
  type WireMessage,
  type WireResponseFormat,
  type WireTool,
} from './schema.ts';
import { validateMessages } from './validate-messages.ts';

const temperatureDefault = 0.6;
const topPDefault = 1;
const stopBytesMax = 1024;
const toolNamePattern = /^[a-zA-Z0-9_-]{1,64}$/;
const webSearchName = '$web_search';

export interface DecodeOptions {
  readonly models: ModelDirectory;
  readonly choiceCountMax: number;
  readonly isDeterministic: boolean;
}

export interface DecodedRequest {
  readonly request: ChatRequest;
  readonly model: ServedModel;
  readonly isStream: boolean;
  /** `stream_options.include_usage`. */
  readonly includesUsage: boolean;
}

/** Throws ApiError `invalid_request`, `invalid_schema` or `model_not_found`. */
export function decodeRequest(body: unknown, options: DecodeOptions): DecodedRequest {
  const parsed = chatCompletionRequestSchema.safeParse(body, { reportInput: true });
  if (!parsed.success) throw describeIssues(parsed.error.issues);
  const wire = parsed.data;
  if (wire.functions !== undefined && wire.functions !== null) {
    throw invalidField('functions', 'is not supported; declare functions in `tools`');
  }
  validateMessages(wire.messages);
  const tools = decodeTools(wire.tools ?? []);
  const toolChoice = decodeToolChoice(wire, tools);
  const outputFormat = decodeOutputFormat(wire.response_format ?? { type: 'text' });
  const stop = decodeStop(wire.stop ?? []);
  const logprobs = decodeLogprobs(wire);
  const sampling = decodeSampling(wire);
  const choiceCount = wire.n ?? 1;
  if (choiceCount > options.choiceCountMax)
    throw invalidField('n', `must be at most ${options.choiceCountMax}`);
  const model = options.models.find(wire.model);
  if (model === undefined) {
    throw new ApiError('model_not_found', {
      message: `Not found the model ${wire.model.slice(0, 128)} or Permission denied`,
      param: 'model',
    });
  }
  return {
    model,
    isStream: wire.stream ?? false,
    includesUsage: wire.stream_options?.include_usage ?? false,
    request: {
      modelId: model.id,
      messages: wire.messages.map(decodeMessage),
      tools,
      toolChoice,
      isParallelToolCallsAllowed: wire.parallel_tool_calls ?? true,
      outputFormat,
      choiceCount,
      sampling,
      stop,
      outputTokensMax: decodeOutputTokensMax(wire),
      logprobs,
      cacheHint: wire.prompt_cache_key ?? undefined,
      isDeterministic: options.isDeterministic,
    },
  };
}

function decodeMessage(message: WireMessage): ChatMessage {
  const name = message.name ?? undefined;
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', text: joinText(message.content), name };
    case 'user':
      return { role: 'user', text: joinText(message.content), name };
    case 'tool':
      return { role: 'tool', text: joinText(message.content), name, toolCallId: message.tool_call_id };
    case 'assistant':
      return {
        role: 'assistant',
        text: joinText(message.content ?? '') || (message.refusal ?? ''),
        name,
        toolCalls: (message.tool_calls ?? []).map((call) => ({
          id: call.id,
          name: call.function.name,
          argumentsText: call.function.arguments,
        })),
        isPartial: message.partial ?? false,
      };
    default:
      return message satisfies never;
  }
}

type WireContent = Exclude<WireMessage['content'], null | undefined>;

/** Parts are joined without a separator, as Moonshot's gateways do. */
function joinText(content: WireContent): string {
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : part.refusal)).join('');
}

function decodeTools(tools: readonly WireTool[]): readonly ToolDeclaration[] {
  const names = new Set<string>();
  return tools.map((tool, index) => {
    const { name } = tool.function;
    const param = `tools[${index}].function.name`;
    if (names.has(name)) throw invalidField(param, `function name ${name} is duplicated`);
    names.add(name);
    // The contract allows the builtin's name under both types.
    if (name === webSearchName) return { type: 'builtin', name };
    if (tool.type === 'builtin_function') {
      throw invalidField(param, `the only builtin_function is \`${webSearchName}\``);
    }
    if (!toolNamePattern.test(name)) throw invalidField(param, `must match ${toolNamePattern}`);
    return {
      type: 'function',
      name,
      description: tool.function.description ?? undefined,
      parameters: decodeParameters(tool, `tools[${index}].function.parameters`),
      isStrict: tool.function.strict ?? true,
    };
  });
}

function decodeParameters(tool: WireTool, param: string) {
  const { parameters, required } = tool.function;
  const schema = parameters == null ? undefined : checkJsonSchema(parameters, param, true);
  if (typeof schema === 'object') {
    const types: unknown = schema.type;
    const isObject =
      types === undefined || types === 'object' || (Array.isArray(types) && types.includes('object'));
    if (!isObject) throw invalidSchema(param, 'the root of the arguments must be of type object');
  }
  // The contract has a second list of required names beside the schema; it means the same as the first.
  if (required == null || required.length === 0 || typeof schema === 'boolean') return schema;
  const own: unknown = schema?.required;
  return {
    type: 'object',
    ...schema,
    required: [...new Set([...(Array.isArray(own) ? own : []), ...required])],
  };
}

function decodeToolChoice(wire: WireChatRequest, tools: readonly ToolDeclaration[]): ToolChoice {
  const choice = wire.tool_choice ?? (tools.length === 0 ? 'none' : 'auto');
  if (choice === 'none' || choice === 'auto') return { type: choice };
  if (tools.length === 0) throw invalidField('tool_choice', 'cannot be met without `tools`');
  if (choice === 'required') return { type: 'required' };
  const { name } = choice.function;
  if (!tools.some((tool) => tool.name === name)) {
    throw invalidField('tool_choice.function.name', `\`${name.slice(0, 64)}\` is not declared in \`tools\``);
  }
  return { type: 'named', name };
}

function decodeOutputFormat(format: WireResponseFormat): OutputFormat {
  switch (format.type) {
    case 'text':
      return { type: 'text' };
    case 'json_object':
      return { type: 'json-object' };
    case 'json_schema': {
      const { name, description, schema, strict } = format.json_schema;
      return {
        type: 'json-schema',
        name,
        description: description ?? undefined,
        schema: checkJsonSchema(schema ?? { type: 'object' }, 'response_format.json_schema.schema', false),
        isStrict: strict ?? true,
      };
    }
    default:
      return format satisfies never;
  }
}

function decodeStop(stop: string | readonly string[]): readonly string[] {
  const isList = typeof stop !== 'string';
  const sequences = isList ? stop : [stop];
  for (const [index, sequence] of sequences.entries()) {
    const param = isList ? `stop[${index}]` : 'stop';
    if (sequence === '') throw invalidField(param, 'must not be empty');
    if (Buffer.byteLength(sequence) > stopBytesMax) {
      throw invalidField(param, `must have at most ${stopBytesMax} bytes`);
    }
  }
  return sequences;
}

function decodeLogprobs(wire: WireChatRequest): { readonly topCount: number } | undefined {
  if (wire.logprobs === true) return { topCount: wire.top_logprobs ?? 0 };
  if (wire.top_logprobs != null) throw invalidField('top_logprobs', 'needs `logprobs: true`');
  return undefined;
}

function decodeSampling(wire: WireChatRequest): ChatRequest['sampling'] {
  return {
    temperature: wire.temperature ?? temperatureDefault,
    topP: wire.top_p ?? topPDefault,
    presencePenalty: wire.presence_penalty ?? 0,
    frequencyPenalty: wire.frequency_penalty ?? 0,
    seed: wire.seed == null ? undefined : decodeSeed(wire.seed),
  };
}

/** Clients draw seeds of 64 bits, which JSON numbers cannot hold exactly: those are folded into the safe range. */
function decodeSeed(seed: number): number {
  if (!Number.isInteger(seed)) throw invalidField('seed', `expected integer, received ${seed}`);
  return Number.isSafeInteger(seed) ? seed : Number(BigInt.asUintN(52, BigInt(seed)));
}

function decodeOutputTokensMax(wire: WireChatRequest): number | undefined {
  const asked = wire.max_completion_tokens ?? wire.max_tokens;
  // No window is larger than this, and a whole number of 32 bits travels safely to every engine.
  return asked == null ? undefined : Math.min(Math.floor(asked), 0x7fff_ffff);
}
