/**
 * Sets of Unicode scalar values as sorted, disjoint, inclusive ranges: [low, high, low, high, …]. Surrogates are
 * never members: a JSON text in UTF-8 cannot hold a lone one.
 */
export type CharSet = readonly number[];

const codePointMax = 0x10ffff;
const surrogateLow = 0xd800;
const surrogateHigh = 0xdfff;

/** Sorts, merges, and removes surrogates. */
export function createCharSet(ranges: readonly (readonly [number, number])[]): CharSet {
  const sorted = ranges.filter(([low, high]) => low <= high).toSorted((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [low, high] of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else merged.push([low, high]);
  }
  const flat: number[] = [];
  for (const [low, high] of merged) {
    if (low < surrogateLow) flat.push(low, Math.min(high, surrogateLow - 1));
    if (high > surrogateHigh) flat.push(Math.max(low, surrogateHigh + 1), high);
  }
  return flat;
}

/** The ranges as pairs. */
export function* rangesOf(set: CharSet): Generator<[number, number]> {
  for (let i = 0; i + 1 < set.length; i += 2) yield [set[i] ?? 0, set[i + 1] ?? 0];
}

export function uniteCharSets(sets: readonly CharSet[]): CharSet {
  return createCharSet(sets.flatMap((set) => [...rangesOf(set)]));
}

/** Every scalar value that is not in the set. */
export function invertCharSet(set: CharSet): CharSet {
  const ranges: [number, number][] = [];
  let next = 0;
  for (const [low, high] of rangesOf(set)) {
    ranges.push([next, low - 1]);
    next = high + 1;
  }
  ranges.push([next, codePointMax]);
  return createCharSet(ranges);
}

export const digitSet = createCharSet([[0x30, 0x39]]);
export const wordSet = createCharSet([
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]);
/** ECMA-262 WhiteSpace and LineTerminator. */
export const spaceSet = createCharSet([
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]);
/** What `.` matches without the s flag. */
export const dotSet = invertCharSet(
  createCharSet([
    [0x0a, 0x0a],
    [0x0d, 0x0d],
    [0x2028, 0x2029],
  ]),
);
export const anySet = invertCharSet([]);

const propertySets = new Map<string, CharSet>();

/** The set of a Unicode property escape such as `\p{L}`, as this JavaScript engine knows it. */
export function unicodePropertySet(source: string): CharSet {
  const known = propertySets.get(source);
  if (known !== undefined) return known;
  const ranges: [number, number][] = [];
  const matcher = new RegExp(`${source}+`, 'gu');
  // Long texts are scanned natively: a test per code point would cost 30 times as much.
  for (const { text, low } of scanTexts()) {
    for (const match of text.matchAll(matcher)) {
      const first = match[0].codePointAt(0) ?? 0;
      const unitsPerCode = low < 0x10000 ? 1 : 2;
      ranges.push([first, first + match[0].length / unitsPerCode - 1]);
    }
  }
  const set = createCharSet(ranges);
  // Bounded: only about 400 property names exist, but a client may spell them in several ways.
  if (propertySets.size < 500) propertySets.set(source, set);
  return set;
}

let scanTextsMade: readonly { readonly text: string; readonly low: number }[] | undefined;

/** Every scalar value once, in order: the two parts of the first plane around the surrogates, then each plane. */
function scanTexts(): readonly { readonly text: string; readonly low: number }[] {
  if (scanTextsMade !== undefined) return scanTextsMade;
  const bounds = [[0, surrogateLow - 1], [surrogateHigh + 1, 0xffff], ...planesAboveFirst()] as const;
  scanTextsMade = bounds.map(([low, high]) => {
    const characters: string[] = [];
    for (let code = low; code <= high; code++) characters.push(String.fromCodePoint(code));
    return { text: characters.join(''), low };
  });
  return scanTextsMade;
}

const planesAboveFirst = (): [number, number][] =>
  Array.from({ length: 16 }, (_, i) => [(i + 1) * 0x10000, (i + 1) * 0x10000 + 0xffff]);
