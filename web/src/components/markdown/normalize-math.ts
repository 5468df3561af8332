/** Models write formulas as TeX does, `\(…\)` and `\[…\]`; Markdown knows `$$…$$` only. */

const delimiters = /\\\(|\\\[|\$\$/;
/** Fenced and inline code, where a backslash is a backslash. */
const codeSpans = /(```[\s\S]*?(?:```|$)|`[^`\n]*`)/;

/** Whether the text may hold a formula. */
export function hasMath(text: string): boolean {
  return delimiters.test(text);
}

/** The same text with every complete TeX formula in Markdown's notation. */
export function normalizeMath(text: string): string {
  return text
    .split(codeSpans)
    .map((part, index) => (index % 2 === 1 ? part : convert(part)))
    .join('');
}

function convert(text: string): string {
  return text
    .replace(/\\\[([\s\S]+?)\\\]/g, (_match, formula: string) => `\n$$\n${formula.trim()}\n$$\n`)
    .replace(/\\\(([\s\S]+?)\\\)/g, (_match, formula: string) => `$$${formula.trim()}$$`);
}
