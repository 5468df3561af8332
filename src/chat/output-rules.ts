/**
 * What a request demands of its answer: declared tools with their schemas, a tool choice, an output format.
 * Judges whole answers; engines that constrain while decoding never need it.
 */
import { ApiError } from '../errors.ts';
import { createOutputCheck } from '../grammar/check-output.ts';
import type { FoldedChoice } from './choice-fold.ts';
import type { ChatRequest, JsonSchema, ToolCall } from './types.ts';

export type Verdict =
  /** `answer` is what may leave: as it came, or without the decoration that models put around JSON. */
  | { readonly isAccepted: true; readonly answer: FoldedChoice }
  /** `tolerable`: better than nothing when no attempt is accepted, because only the budget was too small. */
  | { readonly isAccepted: false; readonly reason: string; readonly tolerable?: FoldedChoice };

export interface OutputRules {
  /** True: text may not be shown before it was judged. */
  readonly isTextHeldBack: boolean;
  judge(answer: FoldedChoice): Verdict;
}

type OutputCheck = ReturnType<typeof createOutputCheck>;

/** Throws ApiError `invalid_schema` with the path of the schema in the request. */
export function createOutputRules(request: ChatRequest): OutputRules {
  const judgeCalls = createCallRules(request);
  const judgeText = createTextRule(request);
  const isCallDemanded = request.toolChoice.type === 'required' || request.toolChoice.type === 'named';

  return {
    isTextHeldBack: judgeText !== undefined || isCallDemanded,
    judge(answer) {
      if (answer.toolCalls.length > 0) {
        const toolCalls = request.isParallelToolCallsAllowed
          ? answer.toolCalls
          : answer.toolCalls.slice(0, 1);
        const fault = judgeCalls(toolCalls, answer.finishReason === 'length');
        return fault === undefined ? accept({ ...answer, toolCalls }) : refuse(fault);
      }
      if (answer.finishReason === 'tool_calls')
        return refuse('The answer announced a tool call and made none.');
      if (isCallDemanded) {
        const reason = 'The answer had to call a tool.';
        return answer.finishReason === 'length' ? { ...refuse(reason), tolerable: answer } : refuse(reason);
      }
      return judgeText === undefined ? accept(answer) : judgeText(answer);
    },
  };
}

const accept = (answer: FoldedChoice): Verdict => ({ isAccepted: true, answer });
const refuse = (reason: string) => ({ isAccepted: false, reason }) as const;

/** The first fault of a list of calls, in words, or undefined. */
type CallRules = (toolCalls: readonly ToolCall[], isCutShort: boolean) => string | undefined;

function createCallRules(request: ChatRequest): CallRules {
  const checks = new Map<string, OutputCheck>();
  for (const [position, tool] of request.tools.entries()) {
    if (tool.type !== 'function') continue;
    const schema = tool.isStrict ? (tool.parameters ?? anyObject) : anyObject;
    checks.set(tool.name, compileCheck(schema, `tools[${position}].function.parameters`));
  }
  const { toolChoice } = request;

  return (toolCalls, isCutShort) => {
    if (toolChoice.type === 'none') return 'Tools must not be called here.';
    for (const [position, call] of toolCalls.entries()) {
      if (toolChoice.type === 'named' && call.name !== toolChoice.name) {
        return `Only the tool \`${toolChoice.name}\` may be called, not \`${call.name}\`.`;
      }
      const check = checks.get(call.name);
      if (check === undefined) return `There is no tool named \`${call.name}\`.`;
      // The budget ended inside the last call: it leaves as it is, with `finish_reason: length`.
      const isUnfinished = isCutShort && position === toolCalls.length - 1 && !isJson(call.argumentsText);
      const result = isUnfinished ? undefined : check(call.argumentsText);
      if (result?.isValid === false) return `The arguments of \`${call.name}\` are wrong: ${result.reason}`;
    }
    return undefined;
  };
}

/** Undefined when the text is free. */
function createTextRule(request: ChatRequest): ((answer: FoldedChoice) => Verdict) | undefined {
  const { outputFormat } = request;
  if (outputFormat.type === 'text') return undefined;
  const isSchemaStrict = outputFormat.type === 'json-schema' && outputFormat.isStrict;
  const schema = isSchemaStrict ? outputFormat.schema : anyObject;
  const check = compileCheck(schema, 'response_format.json_schema.schema');
  const lastMessage = request.messages.at(-1);
  // In partial mode the answer continues a text that the caller already has.
  const prefix = lastMessage?.role === 'assistant' && lastMessage.isPartial ? lastMessage.text : '';

  return (answer) => {
    const whole = prefix + answer.text;
    const result = check(whole);
    if (result.isValid) return accept(answer);
    if (answer.finishReason === 'length' && !isJson(whole)) return accept(answer);
    const unfenced = prefix === '' && answer.logprobs.length === 0 ? removeFence(answer.text) : undefined;
    if (unfenced !== undefined && check(unfenced).isValid) return accept({ ...answer, text: unfenced });
    return refuse(`The answer is not what the response format asks for: ${result.reason}`);
  };
}

const anyObject: JsonSchema = { type: 'object' };

function compileCheck(schema: JsonSchema, param: string): OutputCheck {
  try {
    return createOutputCheck(schema);
  } catch (thrown) {
    if (!(thrown instanceof ApiError) || thrown.param !== undefined) throw thrown;
    // The grammar knows the schema only; the caller needs to know which one of the request it was.
    throw new ApiError(thrown.code, { message: thrown.message, param, cause: thrown });
  }
}

/** The inside of a text that is one Markdown code block, the most common decoration around JSON. */
function removeFence(text: string): string | undefined {
  return /^\s*```(?:json)?[ \t]*\r?\n([\s\S]*?)\r?\n?[ \t]*```\s*$/i.exec(text)?.[1];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
