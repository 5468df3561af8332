/**
 * What a request demands of its answer: declared tools with their schemas, a tool choice, an output format.
 * Judges whole answers; engines that constrain while decoding never need it.
 */
import type { OutputVerdict } from '../grammar/check-output.ts';
import type { CheckContext } from '../grammar/check-thread.ts';
import type { DeclaredSchema, OutputCheck, OutputChecker } from '../grammar/output-checker.ts';
import { parseJson } from '../parse-json.ts';
import type { FoldedChoice } from './choice-fold.ts';
import type { ChatRequest, ToolCall } from './types.ts';

export type Verdict =
  /** `answer` is what may leave: as it came, or without the decoration that models put around JSON. */
  | { readonly isAccepted: true; readonly answer: FoldedChoice }
  /** `tolerable`: better than nothing when no attempt is accepted, because only the budget was too small. */
  | { readonly isAccepted: false; readonly reason: string; readonly tolerable?: FoldedChoice };

export interface OutputRules {
  /** True: text may not be shown before it was judged. */
  readonly isTextHeldBack: boolean;
  /** Rejects with ApiError `unexpected_output` when judging takes too long. */
  judge(answer: FoldedChoice): Promise<Verdict>;
}

/**
 * Rejects with ApiError `invalid_schema` with the path of the schema in the request. The context's signal ends this and all
 * later judging with `client_closed_request`.
 */
export async function createOutputRules(
  request: ChatRequest,
  checker: OutputChecker,
  context: CheckContext,
): Promise<OutputRules> {
  const findCheck = await compileChecks(request, checker, context);
  const judgeCalls = createCallRules(request, findCheck);
  const judgeText = createTextRule(request, findCheck);
  const isCallDemanded = request.toolChoice.type === 'required' || request.toolChoice.type === 'named';

  return {
    isTextHeldBack: judgeText !== undefined || isCallDemanded,
    async judge(answer) {
      if (answer.toolCalls.length > 0) {
        const fault = await judgeCalls(answer.toolCalls, answer.finishReason === 'length');
        return fault === undefined ? accept(answer) : refuse(fault);
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

/** The check of what a request field declares; any JSON object where it declares no schema, or a loose one. */
type FindCheck = (param: string) => OutputCheck;

const toolParam = (position: number): string => `tools[${position}].function.parameters`;
const formatParam = 'response_format.json_schema.schema';

async function compileChecks(
  { tools, outputFormat }: ChatRequest,
  checker: OutputChecker,
  context: CheckContext,
): Promise<FindCheck> {
  const declared: DeclaredSchema[] = [];
  for (const [position, tool] of tools.entries()) {
    if (tool.type !== 'function' || !tool.isStrict || tool.parameters === undefined) continue;
    declared.push({ schema: tool.parameters, param: toolParam(position) });
  }
  if (outputFormat.type === 'json-schema' && outputFormat.isStrict) {
    declared.push({ schema: outputFormat.schema, param: formatParam });
  }
  const checks = await checker.compile(declared, context);
  const checksByParam = new Map(checks.map((check, position) => [declared[position]?.param, check]));
  return (param) => checksByParam.get(param) ?? checkObject;
}

/** The first fault of a list of calls, in words, or undefined. */
type CallRules = (toolCalls: readonly ToolCall[], isCutShort: boolean) => Promise<string | undefined>;

function createCallRules(request: ChatRequest, findCheck: FindCheck): CallRules {
  const checks = new Map<string, OutputCheck>();
  for (const [position, tool] of request.tools.entries()) {
    if (tool.type === 'function') checks.set(tool.name, findCheck(toolParam(position)));
  }
  const { toolChoice } = request;

  return async (toolCalls, isCutShort) => {
    if (toolChoice.type === 'none') return 'Tools must not be called here.';
    for (const [position, call] of toolCalls.entries()) {
      if (toolChoice.type === 'named' && call.name !== toolChoice.name) {
        return `Only the tool \`${toolChoice.name}\` may be called, not \`${call.name}\`.`;
      }
      const check = checks.get(call.name);
      if (check === undefined) return `There is no tool named \`${call.name}\`.`;
      // The budget ended inside the last call: it leaves as it is, with `finish_reason: length`.
      const isLast = position === toolCalls.length - 1;
      const isUnfinished = isCutShort && isLast && parseJson(call.argumentsText) === undefined;
      const result = isUnfinished ? undefined : await check(call.argumentsText);
      if (result?.isValid === false) return `The arguments of \`${call.name}\` are wrong: ${result.reason}`;
    }
    return undefined;
  };
}

/** Undefined when the text is free. */
function createTextRule(
  request: ChatRequest,
  findCheck: FindCheck,
): ((answer: FoldedChoice) => Promise<Verdict>) | undefined {
  const { outputFormat } = request;
  if (outputFormat.type === 'text') return undefined;
  const check = findCheck(formatParam);
  const lastMessage = request.messages.at(-1);
  // In partial mode the answer continues a text that the caller already has.
  const prefix = lastMessage?.role === 'assistant' && lastMessage.isPartial ? lastMessage.text : '';

  return async (answer) => {
    const whole = prefix + answer.text;
    const result = await check(whole);
    if (result.isValid) return accept(answer);
    if (answer.finishReason === 'length' && parseJson(whole) === undefined) return accept(answer);
    const unfenced = prefix === '' && answer.logprobs.length === 0 ? removeFence(answer.text) : undefined;
    if (unfenced !== undefined && (await check(unfenced)).isValid) {
      return accept({ ...answer, text: unfenced });
    }
    return refuse(`The answer is not what the response format asks for: ${result.reason}`);
  };
}

/** Judged on the spot: it is no caller's schema, and the most common rule of all. */
async function checkObject(text: string): Promise<OutputVerdict> {
  const value = parseJson(text);
  if (value === undefined) return { isValid: false, reason: 'not a JSON text' };
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? { isValid: true } : { isValid: false, reason: 'the value must be object' };
}

/** The inside of a text that is one Markdown code block, the most common decoration around JSON. */
function removeFence(text: string): string | undefined {
  return /^\s*```(?:json)?[ \t]*\r?\n([\s\S]*?)\r?\n?[ \t]*```\s*$/i.exec(text)?.[1];
}
