import { listContentWords, listWords } from '../list-words.ts';

const hanRun = /\p{Script=Han}{2,}/gu;

/**
 * Words as they are put into the index. Dictionaries cut Chinese differently from sentence to sentence, so each two
 * neighbouring characters are a word as well: what is asked is found however it was cut.
 */
export function listIndexWords(text: string): readonly string[] {
  return [...listWords(text), ...listPairs(text)];
}

/** Words of a question, without those that say nothing. */
export function listQueryWords(text: string): readonly string[] {
  const words = listContentWords(text);
  const chosen = words.length > 0 ? words : listWords(text);
  return [...new Set([...chosen, ...chosen.flatMap(listPairs)])];
}

function listPairs(text: string): string[] {
  return (text.normalize('NFKC').match(hanRun) ?? []).flatMap((run) => {
    const characters = [...run];
    return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
  });
}
