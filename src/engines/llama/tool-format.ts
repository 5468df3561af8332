/**
 * How a model family writes tool calls: the grammar that its output must follow, and the parser that reads it.
 * Which of the two formats a model speaks is decided once, from its special tokens.
 */

import type { ChatRequest, JsonSchema, JsonValue, OutputFormat, ToolDeclaration } from '../../chat/types.ts';
import { ApiError } from '../../errors.ts';
import type { GrammarSpec } from '../../grammar/spec.ts';
import type { ToolCallParser } from './tool-call-parser.ts';
import { createHermesFormat } from './tool-formats/hermes.ts';
import { createKimiK2Format } from './tool-formats/kimi-k2.ts';

/** A function the model may call in this turn. */
export interface CallableTool {
  readonly name: string;
  /** What the arguments must satisfy; always describes an object. */
  readonly schema: JsonSchema;
  /** Path of the schema in the request, for error messages. */
  readonly param: string;
}

export type GrammarTrigger = Extract<GrammarSpec, { type: 'literal' | 'special' }>;

export interface ParserOptions {
  /** False: marks of calls are no calls, they are dropped or plain text. */
  readonly areCallsExpected: boolean;
  /** The output is calls and nothing else, so that half a mark at its end is no text. */
  readonly isCallForced?: boolean;
}

export interface ToolFormat {
  readonly name: 'kimi-k2' | 'hermes';
  /**
   * The first mark of the first call, and the rest up to the last mark of the last one. `callsMax` ≥ 1.
   * `reserved`: the format's other special tokens, which must not begin a call past the grammar.
   */
  describeCalls(
    tools: readonly CallableTool[],
    callsMax: number,
  ): { readonly trigger: GrammarTrigger; readonly rest: GrammarSpec; readonly reserved: readonly string[] };
  createParser(options: ParserOptions): ToolCallParser;
}

/** What this turn's output has to look like. */
export interface OutputRules {
  /** Tools that may be called; empty for `tool_choice: none`. */
  readonly tools: readonly CallableTool[];
  readonly isCallForced: boolean;
  readonly callsMax: number;
  /** The schema of a JSON answer, with its path in the request. */
  readonly answer: { readonly schema: JsonSchema; readonly param: string } | undefined;
}

/** Calls in one answer when parallel calls are allowed. */
const parallelCallsMax = 16;

const anyObject: JsonSchema = { type: 'object' };
const emptyObject: JsonSchema = { type: 'object', properties: {}, additionalProperties: false };

export function selectToolFormat(specialTokens: readonly string[]): ToolFormat {
  const known = new Set(specialTokens);
  return known.has('<|tool_call_begin|>') && known.has('<|tool_call_argument_begin|>')
    ? createKimiK2Format()
    : createHermesFormat({ areMarksSpecial: known.has('<tool_call>') && known.has('</tool_call>') });
}

/**
 * The rules a request sets. Throws `not_supported` for a builtin tool, which only the chat core can run, and
 * `invalid_schema` for parameters that no object satisfies.
 */
export function readOutputRules(request: ChatRequest): OutputRules {
  const { toolChoice, tools } = request;
  const callable = toolChoice.type === 'none' ? [] : tools.map(readTool);
  const isNamed = toolChoice.type === 'named';
  return {
    tools: isNamed ? callable.filter((tool) => tool.name === toolChoice.name) : callable,
    isCallForced: isNamed || toolChoice.type === 'required',
    callsMax: request.isParallelToolCallsAllowed && !isNamed ? parallelCallsMax : 1,
    answer: readAnswer(request.outputFormat),
  };
}

/** Undefined = free text. */
export function composeGrammar(format: ToolFormat, rules: OutputRules): GrammarSpec | undefined {
  const answer: GrammarSpec | undefined =
    rules.answer === undefined ? undefined : { type: 'json-schema', schema: rules.answer.schema };
  if (rules.tools.length === 0) return answer;
  const { trigger, rest, reserved } = format.describeCalls(rules.tools, rules.callsMax);
  const calls: GrammarSpec = { type: 'sequence', items: [trigger, rest] };
  if (rules.isCallForced) return calls;
  if (answer !== undefined) return { type: 'choice', items: [answer, calls] };
  // biome-ignore lint/suspicious/noThenProperty: a field of GrammarSpec, which is data and never awaited.
  return { type: 'triggered', trigger, then: rest, reserved };
}

function readTool(tool: ToolDeclaration, index: number): CallableTool {
  const path = `tools[${index}].function`;
  if (tool.type === 'builtin') {
    throw new ApiError('not_supported', {
      message: `Invalid request: the model behind this name cannot run the builtin tool \`${tool.name}\`.`,
      param: `${path}.name`,
    });
  }
  const param = `${path}.parameters`;
  if (!tool.isStrict) return { name: tool.name, schema: anyObject, param };
  return { name: tool.name, schema: requireObject(tool.parameters ?? emptyObject, param), param };
}

/** Arguments are an object whatever the schema says: `{}` or `true` means any object here. */
function requireObject(schema: JsonSchema, param: string): JsonSchema {
  if (schema === true) return anyObject;
  if (schema === false) throw noObjectError(param);
  const { type } = schema;
  if (type === 'object') return schema;
  if (type === undefined || (isArray(type) && type.includes('object'))) return { ...schema, type: 'object' };
  throw noObjectError(param);
}

function noObjectError(param: string): ApiError {
  return new ApiError('invalid_schema', {
    message: `Invalid request: \`${param}\` must describe an object: set \`"type": "object"\` at its root.`,
    param,
  });
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function readAnswer(format: OutputFormat): OutputRules['answer'] {
  switch (format.type) {
    case 'text':
      return undefined;
    case 'json-object':
      return { schema: anyObject, param: 'response_format' };
    case 'json-schema':
      return {
        schema: format.isStrict ? format.schema : anyObject,
        param: 'response_format.json_schema.schema',
      };
    default:
      return format satisfies never;
  }
}
