/** Where a text repeats others word for word: how models that are too small to cite show what they have read. */

export interface Quote {
  /** In UTF-16 units of the text, the end exclusive. */
  readonly start: number;
  readonly end: number;
  /** Position of the text that is quoted. */
  readonly quoted: number;
}

interface Unit {
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

/** A word, or a character of a script that puts no spaces between words. */
const unitPattern =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[[\p{L}\p{N}]--[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]]+/gv;
const singleCharacter = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]$/u;

/** So many words in a row are no phrase that two people write by chance. */
const quoteWordsMin = 8;
/** A Chinese or Japanese character says half of what a word does. */
const characterWeight = 0.5;

/** In the order of `others`. Case and punctuation do not count; of a repeated quote the first place is found. Linear in time. */
export function findQuotes(text: string, others: readonly string[]): readonly Quote[] {
  const units = listUnits(text);
  const places = new Map<string, number>();
  for (let at = 0; at + quoteWordsMin <= units.length; at += 1) {
    const key = keyOf(units, at);
    if (!places.has(key)) places.set(key, at);
  }
  if (places.size === 0) return [];
  return others.flatMap((other, quoted) =>
    findRuns(units, places, listUnits(other)).map((range) => ({ ...range, quoted })),
  );
}

function findRuns(
  units: readonly Unit[],
  places: ReadonlyMap<string, number>,
  others: readonly Unit[],
): readonly { readonly start: number; readonly end: number }[] {
  const runs: { start: number; end: number }[] = [];
  for (let at = 0; at + quoteWordsMin <= others.length; at += 1) {
    const place = places.get(keyOf(others, at));
    if (place === undefined) continue;
    let length = quoteWordsMin;
    while (units[place + length] !== undefined && units[place + length]?.word === others[at + length]?.word) {
      length += 1;
    }
    const run = units.slice(place, place + length);
    const [first, last] = [run[0], run.at(-1)];
    if (first !== undefined && last !== undefined && weigh(run) >= quoteWordsMin) {
      runs.push({ start: first.start, end: last.end });
    }
    // What this run has covered is not looked at again, which keeps repetitive texts from taking square time.
    at += length - 1;
  }
  return runs;
}

const listUnits = (text: string): readonly Unit[] =>
  Array.from(text.matchAll(unitPattern), ({ 0: word, index }) => {
    return { word: word.toLowerCase(), start: index, end: index + word.length };
  });

const keyOf = (units: readonly Unit[], at: number): string =>
  units
    .slice(at, at + quoteWordsMin)
    .map(({ word }) => word)
    .join(' ');

const weigh = (run: readonly Unit[]): number =>
  run.reduce((sum, { word }) => sum + (singleCharacter.test(word) ? characterWeight : 1), 0);
