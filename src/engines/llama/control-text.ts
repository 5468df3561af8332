/**
 * Keeps caller text from becoming control tokens.
 *
 * Before rendering, each text of a special token inside a caller's string is broken by an invisible mark after its
 * first character, and so is the end (or beginning) of a string that could become one together with its
 * neighbour. After rendering, a text of a special token that stands unbroken was written by the template: only
 * that becomes a control piece. The marks are taken out again, so the rendered text is otherwise the same, and
 * ordinary text is tokenized in one piece between two control tokens, as the model was trained.
 *
 * A mark is U+E000 followed by a letter of the private use area; U+E000 in caller text is escaped in the same
 * way, so no input can forge or lose a mark.
 */
import type { JsonValue } from '../../chat/types.ts';
import type { PromptPiece } from './protocol.ts';

const markStart = '\u{e000}';
const escapedMarkStart = `${markStart}\u{e001}`;
const breakMark = `${markStart}\u{e002}`;
/** Put behind the text that a rendering is to be cut after. */
export const endMark = `${markStart}\u{e003}`;

export interface ControlText {
  /** Caller text, made fit for rendering. */
  protect(text: string): string;
  /** The same for every string and key of a JSON value. */
  protectJson(value: JsonValue): JsonValue;
  /** What was rendered, as pieces for the tokenizer. */
  split(rendered: string): PromptPiece[];
}

/** `texts`: those of the special tokens to guard, each at least two characters. */
export function createControlText(texts: readonly string[]): ControlText {
  const guarded = [...new Set(texts)].sort((left, right) => right.length - left.length);
  const whole = guarded.length === 0 ? undefined : new RegExp(guarded.map(escapeRegExp).join('|'), 'gu');
  const firstCharacter =
    guarded.length === 0 ? undefined : new RegExp(`(?=${guarded.map(escapeRegExp).join('|')}).`, 'gsu');
  const edges = collectEdges(guarded);

  const protect = (text: string): string => {
    const escaped = text.replaceAll(markStart, escapedMarkStart);
    if (firstCharacter === undefined) return escaped;
    const broken = escaped.replace(firstCharacter, (character) => character + breakMark);
    const before = edges.canEndWith(text) ? breakMark : '';
    const after = edges.canBeginWith(text) ? breakMark : '';
    return before + broken + after;
  };
  const protectJson = (value: JsonValue): JsonValue => {
    if (typeof value === 'string') return protect(value);
    if (typeof value !== 'object' || value === null) return value;
    if (isJsonArray(value)) return value.map(protectJson);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [protect(key), protectJson(item)]));
  };
  const plainPieces = (marked: string): PromptPiece[] =>
    marked === '' ? [] : [{ text: unprotect(marked), isControl: false }];

  return {
    protect,
    protectJson,
    split(rendered) {
      if (whole === undefined) return plainPieces(rendered);
      const pieces: PromptPiece[] = [];
      let start = 0;
      for (const match of rendered.matchAll(whole)) {
        pieces.push(...plainPieces(rendered.slice(start, match.index)), { text: match[0], isControl: true });
        start = match.index + match[0].length;
      }
      pieces.push(...plainPieces(rendered.slice(start)));
      return pieces;
    },
  };
}

/** Takes the marks out. */
function unprotect(marked: string): string {
  return marked.replaceAll(breakMark, '').replaceAll(endMark, '').replaceAll(escapedMarkStart, markStart);
}

/** Knows the proper beginnings and ends of the guarded texts. */
function collectEdges(guarded: readonly string[]): {
  /** The text ends with the beginning of a special text. */
  canBeginWith(text: string): boolean;
  /** The text begins with the end of a special text. */
  canEndWith(text: string): boolean;
} {
  const beginnings = new Set<string>();
  const ends = new Set<string>();
  for (const text of guarded) {
    for (let cut = 1; cut < text.length; cut++) {
      beginnings.add(text.slice(0, cut));
      ends.add(text.slice(cut));
    }
  }
  const lengthMax = Math.max(0, ...guarded.map((text) => text.length - 1));
  const lengths = Array.from({ length: lengthMax }, (_, index) => index + 1);
  return {
    canBeginWith: (text) => lengths.some((length) => beginnings.has(text.slice(-length))),
    canEndWith: (text) => lengths.some((length) => ends.has(text.slice(0, length))),
  };
}

function isJsonArray(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
