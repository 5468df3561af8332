/** How a conversation is found by its words, in the same way on both databases. */

/** Of one conversation's words, in UTF-16 units; what follows is not found. Bounds what a search reads. */
const foldedLengthMax = 20_000;
/** Words of a search that count; each is looked for in every conversation. */
const wordsMax = 8;

/** Full-width, composed and capital letters are all one. */
export function foldText(text: string): string {
  // PostgreSQL keeps no U+0000 in text, and nobody looks for it.
  return text.normalize('NFKC').toLowerCase().replaceAll('\0', ' ').slice(0, foldedLengthMax);
}

/** What people and models said: every string named `text` in a conversation's JSON, whatever else stands there. */
export function foldContent(content: string): string {
  const texts: string[] = [];
  collectTexts(JSON.parse(content), texts);
  return foldText(texts.join('\n'));
}

function collectTexts(value: unknown, texts: string[]): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'text' && typeof inner === 'string') texts.push(inner);
    else collectTexts(inner, texts);
  }
}

/** LIKE patterns, one per word of a search; each must be found. The escape character is `\`. */
export function foldSearch(search: string): readonly string[] {
  const words = foldText(search)
    .split(/\s+/)
    .filter((word) => word !== '');
  return [...new Set(words)].slice(0, wordsMax).map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`);
}
