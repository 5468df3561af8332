/**
 * Parses an ECMA-262 regular expression into a tree of what a finite automaton can do. Lookaround, back
 * references, word boundaries and inline flags are out of its reach: such a pattern is "unsupported", and the
 * caller checks the finished text instead.
 */
import {
  type CharSet,
  createCharSet,
  digitSet,
  dotSet,
  invertCharSet,
  spaceSet,
  unicodePropertySet,
  uniteCharSets,
  wordSet,
} from './char-set.ts';

export type PatternTree =
  | { readonly type: 'set'; readonly set: CharSet }
  | { readonly type: 'sequence'; readonly items: readonly PatternTree[] }
  | { readonly type: 'choice'; readonly items: readonly PatternTree[] }
  | { readonly type: 'repeat'; readonly item: PatternTree; readonly min: number; readonly max: number }
  | { readonly type: 'start' }
  | { readonly type: 'end' };

interface Reader {
  readonly codes: readonly string[];
  position: number;
  depth: number;
}

/** Unwinds the parser; never leaves this file. */
class UnsupportedPattern extends Error {}

/** Deeper nesting is left to the real regex engine, so that this parser cannot run out of stack. */
const depthMax = 200;

/** Undefined = valid perhaps, but not expressible. The caller has made sure that `RegExp` accepts the source. */
export function parsePattern(source: string): PatternTree | undefined {
  const reader: Reader = { codes: [...source], position: 0, depth: 0 };
  try {
    const tree = parseChoice(reader);
    return reader.position === reader.codes.length ? tree : undefined;
  } catch (thrown) {
    if (thrown instanceof UnsupportedPattern) return undefined;
    throw thrown;
  }
}

function giveUp(): never {
  throw new UnsupportedPattern();
}

const peek = (reader: Reader, ahead = 0): string | undefined => reader.codes[reader.position + ahead];

function take(reader: Reader): string {
  const code = peek(reader);
  if (code === undefined) return giveUp();
  reader.position++;
  return code;
}

function accept(reader: Reader, text: string): boolean {
  const wanted = [...text];
  if (!wanted.every((code, i) => peek(reader, i) === code)) return false;
  reader.position += wanted.length;
  return true;
}

function parseChoice(reader: Reader): PatternTree {
  if (++reader.depth > depthMax) return giveUp();
  const items = [parseSequence(reader)];
  while (accept(reader, '|')) items.push(parseSequence(reader));
  reader.depth--;
  const [only] = items;
  return items.length === 1 && only !== undefined ? only : { type: 'choice', items };
}

function parseSequence(reader: Reader): PatternTree {
  const items: PatternTree[] = [];
  for (let next = peek(reader); next !== undefined && next !== '|' && next !== ')'; next = peek(reader)) {
    items.push(parseTerm(reader));
  }
  return { type: 'sequence', items };
}

function parseTerm(reader: Reader): PatternTree {
  if (accept(reader, '^')) return { type: 'start' };
  if (accept(reader, '$')) return { type: 'end' };
  return parseQuantifier(reader, parseAtom(reader));
}

function parseAtom(reader: Reader): PatternTree {
  if (accept(reader, '(')) return parseGroup(reader);
  if (accept(reader, '.')) return { type: 'set', set: dotSet };
  if (accept(reader, '[')) return { type: 'set', set: parseClass(reader) };
  if (accept(reader, '\\')) return { type: 'set', set: parseEscape(reader, false) };
  return { type: 'set', set: single(take(reader)) };
}

function parseGroup(reader: Reader): PatternTree {
  if (accept(reader, '?') && !accept(reader, ':')) {
    if (!accept(reader, '<') || peek(reader) === '=' || peek(reader) === '!') return giveUp();
    while (!accept(reader, '>')) take(reader);
  }
  const inner = parseChoice(reader);
  if (!accept(reader, ')')) return giveUp();
  return inner;
}

function parseQuantifier(reader: Reader, item: PatternTree): PatternTree {
  const bounds = parseBounds(reader);
  if (bounds === undefined) return item;
  // Lazy or greedy makes no difference to which texts match.
  accept(reader, '?');
  return { type: 'repeat', item, min: bounds[0], max: bounds[1] };
}

function parseBounds(reader: Reader): readonly [number, number] | undefined {
  if (accept(reader, '*')) return [0, Infinity];
  if (accept(reader, '+')) return [1, Infinity];
  if (accept(reader, '?')) return [0, 1];
  if (peek(reader) !== '{') return undefined;
  const rest = reader.codes.slice(reader.position, reader.position + 24).join('');
  const match = /^\{(\d+)(,?)(\d*)\}/.exec(rest);
  if (match === null) return undefined;
  reader.position += match[0].length;
  const min = Number(match[1]);
  if (match[2] === '') return [min, min];
  return [min, match[3] === '' ? Infinity : Number(match[3])];
}

const single = (character: string): CharSet => {
  const code = character.codePointAt(0) ?? 0;
  return createCharSet([[code, code]]);
};

function parseClass(reader: Reader): CharSet {
  const isNegated = accept(reader, '^');
  const sets: CharSet[] = [];
  while (!accept(reader, ']')) {
    const low = parseClassAtom(reader);
    if (peek(reader) === '-' && peek(reader, 1) !== ']' && peek(reader, 1) !== undefined) {
      reader.position++;
      const high = parseClassAtom(reader);
      sets.push(createRange(low, high));
    } else sets.push(low);
  }
  const union = uniteCharSets(sets);
  return isNegated ? invertCharSet(union) : union;
}

/** A range between two single characters; between classes (`[\w-.]`, allowed without the u flag) all three count. */
function createRange(low: CharSet, high: CharSet): CharSet {
  const [lowFirst, lowLast] = low;
  const [highFirst, highLast] = high;
  if (lowFirst === undefined || highLast === undefined) return giveUp();
  if (lowFirst !== lowLast || highFirst !== highLast) return uniteCharSets([low, high, single('-')]);
  return createCharSet([[lowFirst, highLast]]);
}

function parseClassAtom(reader: Reader): CharSet {
  return accept(reader, '\\') ? parseEscape(reader, true) : single(take(reader));
}

const classEscapes: Readonly<Record<string, CharSet>> = {
  d: digitSet,
  D: invertCharSet(digitSet),
  w: wordSet,
  W: invertCharSet(wordSet),
  s: spaceSet,
  S: invertCharSet(spaceSet),
};
const controlEscapes: Readonly<Record<string, string>> = { t: '\t', n: '\n', v: '\v', f: '\f', r: '\r' };

function parseEscape(reader: Reader, isInClass: boolean): CharSet {
  const letter = take(reader);
  const classSet = Object.hasOwn(classEscapes, letter) ? classEscapes[letter] : undefined;
  if (classSet !== undefined) return classSet;
  const control = Object.hasOwn(controlEscapes, letter) ? controlEscapes[letter] : undefined;
  if (control !== undefined) return single(control);
  if (letter === 'b' && isInClass) return single('\b');
  if (letter === 'p' || letter === 'P') return parseProperty(reader, letter);
  if (letter === 'u') return parseUnicodeEscape(reader);
  if (letter === 'x') return fromCode(parseHex(reader, 2));
  if (letter === 'c') return fromCode((take(reader).codePointAt(0) ?? 0) % 32);
  if (letter === '0' && !/[0-9]/.test(peek(reader) ?? '')) return single('\0');
  // Back references, word boundaries, and letters whose meaning depends on flags.
  if (/[0-9A-Za-z]/.test(letter)) return giveUp();
  return single(letter);
}

const fromCode = (code: number): CharSet => createCharSet([[code, code]]);

function parseHex(reader: Reader, length: number): number {
  const digits = Array.from({ length }, () => take(reader)).join('');
  return /^[0-9a-fA-F]+$/.test(digits) ? Number.parseInt(digits, 16) : giveUp();
}

function parseUnicodeEscape(reader: Reader): CharSet {
  if (accept(reader, '{')) {
    let digits = '';
    while (!accept(reader, '}')) digits += take(reader);
    return fromCode(Number.parseInt(digits, 16));
  }
  const code = parseHex(reader, 4);
  if (code < 0xd800 || code > 0xdbff || !accept(reader, '\\u')) return fromCode(code);
  const low = parseHex(reader, 4);
  return low < 0xdc00 || low > 0xdfff ? giveUp() : fromCode(0x10000 + (code - 0xd800) * 0x400 + low - 0xdc00);
}

function parseProperty(reader: Reader, letter: string): CharSet {
  if (!accept(reader, '{')) return giveUp();
  let name = '';
  while (!accept(reader, '}')) name += take(reader);
  const set = unicodePropertySet(`\\p{${name}}`);
  return letter === 'P' ? invertCharSet(set) : set;
}
