/** Scripts that tell a language, most telling first: Japanese text holds Han characters too. */
const scripts: readonly (readonly [string, RegExp])[] = [
  ['ja', /[\p{Script=Hiragana}\p{Script=Katakana}]/u],
  ['ko', /\p{Script=Hangul}/u],
  ['zh', /\p{Script=Han}/u],
  ['ar', /\p{Script=Arabic}/u],
  ['he', /\p{Script=Hebrew}/u],
  ['hi', /\p{Script=Devanagari}/u],
  ['th', /\p{Script=Thai}/u],
  ['el', /\p{Script=Greek}/u],
];

/** The language of a text where its script tells it; Latin and Cyrillic letters write too many. */
export function detectLanguage(text: string): string | undefined {
  return scripts.find(([, pattern]) => pattern.test(text))?.[0];
}
