/**
 * The words that teach the Hermes form to a model whose own chat template has no tools. The caller's parts must be
 * protected already.
 */

/** `tools`: the declarations as JSON texts. */
export function describeToolsForPrompt(tools: readonly string[]): string {
  return [
    'You may call one or more functions to help with the user query. The functions you can call are given as JSON within <tools></tools> tags:',
    '<tools>',
    ...tools,
    '</tools>',
    'To call a function, answer with a JSON object with its name and arguments within <tool_call></tool_call> tags:',
    '<tool_call>',
    '{"name": "<function name>", "arguments": <arguments as a JSON object>}',
    '</tool_call>',
  ].join('\n');
}

export function writeToolCall(name: string, argumentsText: string): string {
  return `<tool_call>\n{"name": "${name}", "arguments": ${argumentsText}}\n</tool_call>`;
}

export function writeToolResult(text: string): string {
  return `<tool_response>\n${text}\n</tool_response>`;
}
