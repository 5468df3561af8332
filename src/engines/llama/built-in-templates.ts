/**
 * Kimi K2's prompt format as a Jinja template, written from its published facts: tools first, a default system
 * text, `name` in the place of the role, call ids as given. For files whose own template lacks a part of it.
 */

export const kimiSystemText = 'You are Kimi, an AI assistant created by Moonshot AI.';

export const kimiK2Template = `
{%- if tools -%}
<|im_system|>tool_declare<|im_middle|>{{ tools | tojson }}<|im_end|>
{%- endif -%}
{%- if not messages or messages[0].role != 'system' -%}
<|im_system|>system<|im_middle|>${kimiSystemText}<|im_end|>
{%- endif -%}
{%- for message in messages -%}
  {%- if message.role == 'user' -%}<|im_user|>
  {%- elif message.role == 'assistant' -%}<|im_assistant|>
  {%- else -%}<|im_system|>
  {%- endif -%}
  {{- message.name or message.role -}}<|im_middle|>
  {%- if message.role == 'tool' -%}
    {{- '## Return of ' + message.tool_call_id + '\\n' -}}
  {%- endif -%}
  {{- message.content -}}
  {%- if message.tool_calls -%}
    <|tool_calls_section_begin|>
    {%- for call in message.tool_calls -%}
      <|tool_call_begin|>{{ call.id }}<|tool_call_argument_begin|>
      {%- if call.function.arguments is string -%}{{ call.function.arguments }}
      {%- else -%}{{ call.function.arguments | tojson }}
      {%- endif -%}
      <|tool_call_end|>
    {%- endfor -%}
    <|tool_calls_section_end|>
  {%- endif -%}
  <|im_end|>
{%- endfor -%}
{%- if add_generation_prompt -%}
<|im_assistant|>assistant<|im_middle|>
{%- endif -%}
`;

/** For models without a chat template. */
export const chatMlTemplate = `
{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
`;
