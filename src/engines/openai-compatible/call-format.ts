/**
 * A tool call as a JSON answer, for servers that can be held to a JSON schema but not to a tool choice: the call is
 * asked for through `response_format`, and what comes back is turned into a call.
 */
import type { ChatRequest, JsonSchema, JsonValue, ToolDeclaration } from '../../chat/types.ts';
import { parseJson } from '../../parse-json.ts';
import type { TextReader, TextSink } from './text-reader.ts';
import { asRecord, asText } from './wire-chunk.ts';

type FunctionTool = Extract<ToolDeclaration, { type: 'function' }>;

/** The tools that may be called in answer to a demand: the named one, or all. */
export function listDemandedTools(request: ChatRequest, name: string | undefined): FunctionTool[] {
  const tools = request.tools.filter((tool) => tool.type === 'function');
  return name === undefined ? tools : tools.filter((tool) => tool.name === name);
}

/** `{"name": …, "arguments": …}` for one of the tools. */
export function encodeCallSchema(tools: readonly FunctionTool[]): { readonly [keyword: string]: JsonValue } {
  const calls = tools.map((tool) => ({
    type: 'object',
    properties: { name: { const: tool.name }, arguments: encodeParameters(tool) },
    required: ['name', 'arguments'],
    additionalProperties: false,
  }));
  const [only, ...others] = calls;
  return only !== undefined && others.length === 0 ? only : { anyOf: calls };
}

/** References start at the root of a schema, so one that has any cannot be put inside another. */
function encodeParameters({ parameters }: FunctionTool): JsonSchema {
  if (typeof parameters !== 'object' || JSON.stringify(parameters).includes('"$ref"'))
    return { type: 'object' };
  return parameters;
}

/** What the model must know of tools that are not declared to it as such. */
export function describeCallFormat(tools: readonly FunctionTool[]): string {
  const described = tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
  return [
    'Call one of these functions now. Answer with one JSON object of the form {"name": …, "arguments": {…}} and nothing else.',
    JSON.stringify(described),
  ].join('\n');
}

/** Turns the whole text into one call; a text that is none (the budget ended inside it) is dropped. */
export function createCallFormatReader(sink: TextSink): TextReader {
  let text = '';
  return {
    feed(added) {
      text += added;
    },
    end() {
      const call = asRecord<{ readonly name?: unknown; readonly arguments?: unknown }>(parseJson(text));
      const name = asText(call?.name);
      if (name === undefined) return;
      sink.callStart(name);
      sink.callArguments(JSON.stringify(call?.arguments ?? {}));
    },
  };
}
