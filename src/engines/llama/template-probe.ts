/**
 * Finds out by rendering small conversations what a chat template can do, instead of guessing from its text or
 * the model's name.
 */
import type { TemplateMessage, TemplateTool } from './template-messages.ts';
import type { ToolFormat } from './tool-format.ts';

export type RenderTemplate = (messages: readonly TemplateMessage[], tools: readonly TemplateTool[]) => string;

/** In which form a template takes the arguments of earlier calls; undefined = it cannot show tools our way. */
export type ToolRendering = { readonly takesArgumentsText: boolean } | undefined;

export interface AcceptedShape {
  /** A system message at the beginning is rendered. */
  readonly hasSystemRole: boolean;
  /** Any role may follow any other, system messages too. */
  readonly hasFreeOrder: boolean;
}

type Role = TemplateMessage['role'];

/** Whether all texts of a conversation with these roles come out. */
export function showsRoles(render: RenderTemplate, roles: readonly Role[]): boolean {
  const messages = roles.map((role, index) => ({ role, content: `probe-${index}.` }));
  const text = tryRender(() => render(messages, []));
  return messages.every((message) => text.includes(message.content));
}

export function probeShape(render: RenderTemplate): AcceptedShape {
  const turns: Role[] = ['user', 'user', 'assistant', 'assistant', 'user'];
  const hasSystemRole = showsRoles(render, ['system', 'user']);
  const hasFreeOrder =
    hasSystemRole &&
    showsRoles(render, ['assistant', ...turns]) &&
    showsRoles(render, ['system', ...turns, 'system', 'system', 'user']);
  return { hasSystemRole, hasFreeOrder };
}

/**
 * Whether the template shows declarations, calls and results in the very form that our grammar of `format` makes
 * the model write. Templates with tools in another form count as templates without.
 */
export function probeTools(render: RenderTemplate, format: ToolFormat): ToolRendering {
  const name = 'probe_tool';
  const id = `functions.${name}:0`;
  const expected =
    format.name === 'kimi-k2'
      ? `<|tool_call_begin|>${id}<|tool_call_argument_begin|>{"probe": 1}<|tool_call_end|>`
      : `<tool_call>\n{"name": "${name}", "arguments": {"probe": 1}}\n</tool_call>`;
  const tools: TemplateTool[] = [
    { type: 'function', function: { name, description: 'Declared.', parameters: {} } },
  ];
  for (const takesArgumentsText of [true, false]) {
    const text = tryRender(() =>
      render(
        [
          { role: 'user', content: 'Asked.', name: 'probe_user' },
          {
            role: 'assistant',
            content: 'Calling.',
            tool_calls: [
              {
                id,
                type: 'function',
                function: { name, arguments: takesArgumentsText ? '{"probe": 1}' : { probe: 1 } },
              },
            ],
          },
          { role: 'tool', content: 'Resulted.', tool_call_id: id },
        ],
        tools,
      ),
    );
    const needed = ['Declared.', 'Asked.', 'Calling.', expected, 'Resulted.'];
    // Kimi's format has the name of a speaker in the place of the role, and the id in front of a result.
    if (format.name === 'kimi-k2') needed.push('<|im_user|>probe_user<|im_middle|>', `## Return of ${id}\n`);
    if (needed.every((part) => text.includes(part))) return { takesArgumentsText };
  }
  return undefined;
}

function tryRender(render: () => string): string {
  try {
    return render();
  } catch {
    // Templates refuse with raise_exception, or use what our Jinja lacks: both mean that this cannot be shown.
    return '';
  }
}
