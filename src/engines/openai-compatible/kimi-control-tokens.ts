/**
 * Kimi K2 writes tool calls between control tokens. A server whose parser gives up lets them through as text; this
 * reads them back into calls, lenient in everything but the tokens themselves. Text without tokens passes at once.
 */
import type { TextReader, TextSink } from './text-reader.ts';

type ReaderState = 'text' | 'section' | 'id' | 'arguments';

const tokens = {
  '<|tool_calls_section_begin|>': 'section',
  '<|tool_calls_section_end|>': 'text',
  '<|tool_call_begin|>': 'id',
  '<|tool_call_argument_begin|>': 'arguments',
  '<|tool_call_end|>': 'section',
  '<|im_end|>': 'text',
} as const satisfies Record<string, ReaderState>;

const tokenPattern =
  /<\|(?:tool_calls_section_(?:begin|end)|tool_call_(?:begin|argument_begin|end)|im_end)\|>/g;
const tokenTexts = Object.keys(tokens);
const TOKEN_LENGTH_MAX = Math.max(...tokenTexts.map((token) => token.length));

export function createControlTokenReader(sink: TextSink): TextReader {
  let state: ReaderState = 'text';
  let held = '';
  let id = '';

  function take(text: string): void {
    if (text === '') return;
    if (state === 'text') sink.text(text);
    else if (state === 'arguments') sink.callArguments(text);
    else if (state === 'id') id += text;
    // Between calls there is only white space.
  }

  function enter(next: ReaderState): void {
    // An id is complete when its arguments begin; without arguments there is no call to make.
    if (state === 'id' && next === 'arguments') sink.callStart(readName(id));
    id = '';
    state = next;
  }

  return {
    feed(added) {
      const input = held + added;
      held = '';
      // Nearly every delta: plain text without the character that every token begins with.
      if (state === 'text' && !input.includes('<')) {
        take(input);
        return;
      }
      let position = 0;
      for (const match of input.matchAll(tokenPattern)) {
        take(input.slice(position, match.index));
        enter(tokens[match[0] as keyof typeof tokens]); // The pattern matches exactly these texts.
        position = match.index + match[0].length;
      }
      const rest = input.slice(position);
      const heldLength = unfinishedTokenLength(rest);
      held = heldLength === 0 ? '' : rest.slice(-heldLength);
      take(rest.slice(0, rest.length - heldLength));
    },
    end() {
      take(held);
      held = '';
    },
  };
}

/** Length of the longest ending that could still become a control token. */
function unfinishedTokenLength(text: string): number {
  const start = text.lastIndexOf('<', text.length);
  if (start === -1 || text.length - start >= TOKEN_LENGTH_MAX) return 0;
  const ending = text.slice(start);
  return tokenTexts.some((token) => token.startsWith(ending)) ? ending.length : 0;
}

/** `functions.name:idx`, `name:idx` or only `name`. */
function readName(id: string): string {
  return id
    .trim()
    .replace(/^functions\./, '')
    .replace(/:\d*$/, '');
}
