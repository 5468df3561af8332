/**
 * Fits a conversation to templates that refuse some orders of roles. Which ones a template refuses is found out
 * by rendering probes once, not by knowing model names.
 */
import type { TemplateMessage } from './template-messages.ts';

export interface AcceptedShape {
  /** A system message at the beginning is rendered. */
  readonly hasSystemRole: boolean;
  /** Any role may follow any other, system messages too. */
  readonly hasFreeOrder: boolean;
}

const joint = '\n\n';

/** Renders small conversations and sees which of their texts come out. */
export function probeShape(render: (messages: readonly TemplateMessage[]) => string): AcceptedShape {
  const shows = (roles: readonly TemplateMessage['role'][]): boolean => {
    const messages = roles.map((role, index) => ({ role, content: `probe-${index}.` }));
    try {
      const text = render(messages);
      return messages.every((message) => text.includes(message.content));
    } catch {
      // Templates refuse with raise_exception, or stumble over what they did not expect: both mean no.
      return false;
    }
  };
  const hasSystemRole = shows(['system', 'user']);
  const rest = ['user', 'user', 'assistant', 'assistant', 'user'] as const;
  return {
    hasSystemRole,
    hasFreeOrder:
      hasSystemRole &&
      shows(['assistant', ...rest]) &&
      shows(['system', ...rest, 'system', 'system', 'user']),
  };
}

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
