/**
 * Takes the power out of text from pages before it is put into a prompt. The embedded engine never reads caller text
 * as control tokens, but an upstream server tokenizes what its template rendered: there `<|im_end|>` on a page would
 * end the message. So every mark that some chat template gives a meaning is made plain text here, for all engines.
 */

/** Brackets of other widths: tokenizers that unify compatibility forms read them as the plain ones. */
const wideBracket = /[＜＞﹤﹥［］]/g;
const plainBrackets: Readonly<Record<string, string>> = {
  '＜': '<',
  '﹤': '<',
  '＞': '>',
  '﹥': '>',
  '［': '[',
  '］': ']',
};

/** `<|im_end|>`, and the same with the full-width bars of DeepSeek's templates. */
const barredMark = /<([|｜][^<>\n]{0,64}?[|｜])>/g;
/** Half of such a mark, which could find its other half beyond the end of a passage; `[|user|]` is EXAONE's. */
const looseBar = /<(?=[|｜])|(?<=[|｜])>|\[(?=\|)|(?<=\|)\]/g;
const looseBracket: Readonly<Record<string, string>> = { '<': '‹', '>': '›', '[': '(', ']': ')' };

/** Tags that templates and tool formats use; other tags (`<div>`, `List<String>`) are what a page may well be about. */
const templateTag = new RegExp(
  `<(/?(?:${[
    's|bos|eos|pad|unk|mask|cls|sep|sop|eop|eot|eod',
    '(?:start|end|begin)_?of_?(?:turn|text|sentence|image|audio|role|header|thought)[a-z_]*',
    'end_?message|im_(?:start|end)|turn|unused\\d+|extra_id_\\d+|reserved[a-z0-9_]*',
    'tools?|tool_?(?:calls?|responses?|results?|outputs?)|functions?(?:_[a-z]+)?|invoke|parameters?|arg_(?:key|value)',
    'seed:[a-z_]+|think(?:ing)?|reasoning|system|user|assistant|human|observation|instructions?|documents?|sources?|search_results?',
  ].join('|')})(?:[\\s=:/][^<>]{0,200})?)>`,
  'gi',
);

/** Mistral's, Llama 2's and GLM's marks. */
const bracketMark =
  /\[(\/?(?:INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|SYSTEM_PROMPT|ARGS|CALL_ID|THINK|IMG(?:_BREAK|_END)?|PREFIX|SUFFIX|MIDDLE|g?MASK|sop|eop))\]/gi;
const systemMark = /<<(\/?SYS)>>/gi;

/** Invisible characters: they hide instructions from people, and are how our own marks would be forged. */
const invisible =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ue000-\uf8ff]|[\u{e0000}-\u{e0fff}]|[\u{f0000}-\u{10ffff}]/gu;

/** The same words for a reader, no mark for a template. Line breaks and tabs stay. */
export function neutraliseText(text: string): string {
  return text
    .replace(/\r\n?|[\u2028\u2029\u0085]/g, '\n')
    .replace(invisible, '')
    .replace(wideBracket, (bracket) => plainBrackets[bracket] ?? bracket)
    .replace(barredMark, '‹$1›')
    .replace(looseBar, (bracket) => looseBracket[bracket] ?? bracket)
    .replace(templateTag, '‹$1›')
    .replace(systemMark, '‹$1›')
    .replace(bracketMark, '($1)');
}

/** For titles and queries: one line, at most so many characters. */
export function neutraliseLine(text: string, lengthMax: number): string {
  // What is far beyond the limit need not be looked at; white space and invisible characters are the reserve.
  const line = neutraliseText(text.slice(0, lengthMax * 8))
    .replace(/\s+/g, ' ')
    .trim();
  const characters = Array.from(line);
  return characters.length <= lengthMax
    ? line
    : `${characters
        .slice(0, lengthMax - 1)
        .join('')
        .trimEnd()}…`;
}
