/** Fits a conversation to templates that refuse some orders of roles. */
import type { TemplateMessage } from './template-messages.ts';
import type { AcceptedShape } from './template-probe.ts';

const joint = '\n\n';

/**
 * The same texts in an order the template takes: without a system role, the system text opens the first user
 * turn; where roles must alternate, later system messages become user text, neighbours of one role are joined by
 * an empty line, and a conversation that opens with the assistant gets an empty user turn in front.
 */
export function fitConversation(
  messages: readonly TemplateMessage[],
  shape: AcceptedShape,
): readonly TemplateMessage[] {
  if (shape.hasSystemRole && shape.hasFreeOrder) return messages;
  const fitted: TemplateMessage[] = [];
  for (const [index, message] of messages.entries()) {
    const isSystem = message.role === 'system' && index === 0 && shape.hasSystemRole;
    const turn: TemplateMessage =
      message.role === 'system' && !isSystem ? { ...message, role: 'user' } : message;
    const last = fitted.at(-1);
    if (last !== undefined && canJoin(last, turn)) {
      fitted[fitted.length - 1] = { ...last, content: joinTexts(last.content, turn.content) };
      continue;
    }
    if (turn.role === 'assistant' && (last === undefined || last.role === 'system')) {
      fitted.push({ role: 'user', content: '' });
    }
    fitted.push(turn);
  }
  return fitted;
}

function canJoin(left: TemplateMessage, right: TemplateMessage): boolean {
  return (
    left.role === right.role &&
    left.role !== 'tool' &&
    left.tool_calls === undefined &&
    right.tool_calls === undefined
  );
}

function joinTexts(left: string, right: string): string {
  return [left, right].filter((text) => text !== '').join(joint);
}
