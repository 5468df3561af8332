/** The rules between messages, which no schema of one message can express (protocol sheet 1.1, 1.5, 1.6). */
import { ApiError } from '../../errors.ts';
import type { WireMessage } from './schema.ts';

type AssistantMessage = Extract<WireMessage, { role: 'assistant' }>;
type ToolMessage = Extract<WireMessage, { role: 'tool' }>;

/** Throws ApiError `invalid_request` that names the first message at fault. */
export function validateMessages(messages: readonly WireMessage[]): void {
  let open: OpenCalls | undefined;
  for (const [position, message] of messages.entries()) {
    checkContent(message, position);
    checkPartial(message, position, messages.length);
    if (message.role === 'tool') {
      open = answerCall(message, position, open);
      continue;
    }
    assertAnswered(open);
    open = openCalls(message, position);
  }
  assertAnswered(open);
}

/** The calls of one assistant message, and which of them the tool messages after it have answered. */
interface OpenCalls {
  readonly position: number;
  readonly ids: ReadonlySet<string>;
  readonly answered: Set<string>;
}

function openCalls(message: WireMessage, position: number): OpenCalls | undefined {
  if (message.role !== 'assistant' || !hasToolCalls(message)) return undefined;
  const ids = new Set<string>();
  for (const [index, call] of (message.tool_calls ?? []).entries()) {
    if (ids.has(call.id)) {
      throw fault(
        `messages[${position}].tool_calls[${index}].id`,
        `the id \`${call.id}\` is used twice in one message`,
      );
    }
    ids.add(call.id);
  }
  return { position, ids, answered: new Set() };
}

function answerCall(message: ToolMessage, position: number, open: OpenCalls | undefined): OpenCalls {
  const id = message.tool_call_id;
  const param = `messages[${position}].tool_call_id`;
  if (open === undefined || !open.ids.has(id)) {
    throw fault(
      param,
      `tool_call_id not found: no assistant message right before message ${position} made the call \`${id}\``,
    );
  }
  if (open.answered.has(id)) throw fault(param, `the call \`${id}\` was answered before`);
  open.answered.add(id);
  return open;
}

function assertAnswered(open: OpenCalls | undefined): void {
  if (open === undefined) return;
  const missing = [...open.ids].filter((id) => !open.answered.has(id));
  if (missing.length === 0) return;
  throw fault(
    `messages[${open.position}].tool_calls`,
    `an assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${missing.join(', ')}`,
  );
}

function checkContent(message: WireMessage, position: number): void {
  const param = `messages[${position}].content`;
  if (Array.isArray(message.content)) {
    for (const [index, part] of message.content.entries()) {
      const text = part.type === 'text' ? part.text : part.refusal;
      // A tool may well have printed nothing.
      if (text === '' && message.role !== 'tool') throw fault(`${param}[${index}]`, 'text content is empty');
    }
  }
  const isEmpty = message.content == null || message.content.length === 0;
  if (!isEmpty || message.role === 'tool') return;
  if (message.role === 'assistant' && mayBeEmpty(message)) return;
  throw fault(param, `the message at position ${position} with role '${message.role}' must not be empty`);
}

/** A call needs no words, a refusal stands for them, and partial mode may begin at the first one. */
function mayBeEmpty(message: AssistantMessage): boolean {
  return hasToolCalls(message) || Boolean(message.refusal) || message.partial === true;
}

function checkPartial(message: WireMessage, position: number, messageCount: number): void {
  if (message.partial !== true) return;
  const param = `messages[${position}].partial`;
  if (message.role !== 'assistant' || position !== messageCount - 1) {
    throw fault(param, 'partial is only allowed on the last message, with role assistant');
  }
  if (hasToolCalls(message)) throw fault(param, 'a partial message cannot have tool_calls');
}

function hasToolCalls(message: AssistantMessage): boolean {
  return (message.tool_calls?.length ?? 0) > 0;
}

/** Moonshot's texts name the position themselves, so the path is in `param` only. */
function fault(param: string, text: string): ApiError {
  return new ApiError('invalid_request', { message: `Invalid request: ${text}`, param });
}
