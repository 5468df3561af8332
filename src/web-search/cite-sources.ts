/**
 * Which sources an answer refers to, and where: by number (`[1]`, `[1, 2]`, `[^1]`, `【1】`, `Source 1`), by its exact title, by its
 * exact address, or by repeating it word for word. A number that no source has is no citation, and none is made up.
 */
import type { UrlCitation } from '../chat/types.ts';
import { findQuotes } from './find-quotes.ts';

export interface NumberedSource {
  readonly number: number;
  readonly title: string;
  readonly url: string;
  /** What the model has read of it. */
  readonly excerpts: readonly string[];
}

/** A place in the text, in UTF-16 units. */
interface Mention {
  readonly start: number;
  readonly end: number;
  readonly source: NumberedSource;
}

const numberMark =
  /\[\^?(\d{1,3}(?:\s*[,;]\s*\^?\d{1,3})*)\]|【(\d{1,3})(?:†[^】\n]{0,80})?】|\b[Ss]ource (\d{1,3})\b/g;
/** Code shows what brackets mean to a compiler: `rows[1]` cites nothing. */
const code = /```[\s\S]*?(?:```|$)|`[^`\n]+`/g;
/** Shorter titles (`Home`, `Blog`) occur in texts that do not mean the page. */
const titleLengthMin = 8;

/** In the order of the text, each place once. Indices count Unicode code points, the end is exclusive. */
export function citeSources(text: string, sources: readonly NumberedSource[]): readonly UrlCitation[] {
  if (sources.length === 0) return [];
  const codeRanges = Array.from(text.matchAll(code), (match) => rangeOf(match));
  const isCode = (start: number): boolean =>
    codeRanges.some((range) => range.start <= start && start < range.end);
  const named = [
    ...findNumbers(text, sources).filter(({ start }) => !isCode(start)),
    ...findExactTexts(text, sources),
  ];
  // What the answer says of its sources itself counts before what is only seen in it.
  const quoted = findQuoted(text, sources).filter(
    ({ start, end }) => !named.some((mention) => mention.start < end && start < mention.end),
  );
  const mentions = [...dropOverlaps(named.sort(byPlace)), ...quoted].sort(byPlace);
  return countCodePoints(text, mentions);
}

const byPlace = (left: Mention, right: Mention): number => left.start - right.start || right.end - left.end;

const rangeOf = (match: RegExpMatchArray) => {
  const start = match.index ?? 0;
  return { start, end: start + match[0].length };
};

function findNumbers(text: string, sources: readonly NumberedSource[]): readonly Mention[] {
  const byNumber = new Map(sources.map((source) => [source.number, source]));
  return Array.from(text.matchAll(numberMark)).flatMap((match) => {
    const numbers = (match[1] ?? match[2] ?? match[3] ?? '').match(/\d+/g) ?? [];
    return numbers.flatMap((digits) => {
      const source = byNumber.get(Number(digits));
      return source === undefined ? [] : [{ ...rangeOf(match), source }];
    });
  });
}

function findExactTexts(text: string, sources: readonly NumberedSource[]): readonly Mention[] {
  return sources.flatMap((source) => {
    const { title, url } = source;
    const wanted = title.length >= titleLengthMin && title !== url ? [url, title] : [url];
    return wanted.flatMap((each) => findText(text, each).map((range) => ({ ...range, source })));
  });
}

/** Of passages that several pages share, the first page is named: the longer quote, or the better source. */
function findQuoted(text: string, sources: readonly NumberedSource[]): readonly Mention[] {
  const passages = sources.flatMap((source) => source.excerpts.map((excerpt) => ({ source, excerpt })));
  const quotes = findQuotes(
    text,
    passages.map(({ excerpt }) => excerpt),
  ).toSorted(
    (left, right) => right.end - right.start - (left.end - left.start) || left.quoted - right.quoted,
  );
  const kept: Mention[] = [];
  for (const { start, end, quoted } of quotes) {
    const source = passages[quoted]?.source;
    const isTaken = kept.some((mention) => mention.start < end && start < mention.end);
    if (source !== undefined && !isTaken) kept.push({ start, end, source });
  }
  return kept;
}

/** Occurrences that are no part of a longer word or address. */
function findText(text: string, wanted: string): readonly { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (let start = text.indexOf(wanted); start >= 0; start = text.indexOf(wanted, start + 1)) {
    const end = start + wanted.length;
    const isPart =
      /[\p{L}\p{N}_]/u.test(text.charAt(start - 1)) || /^[\p{L}\p{N}_/?#=&-]/u.test(text.slice(end));
    if (!isPart) found.push({ start, end });
  }
  return found;
}

/** Of two mentions of which one holds the other, the longer stays; two pages in one mark both do. */
function dropOverlaps(mentions: readonly Mention[]): readonly Mention[] {
  const kept: Mention[] = [];
  for (const mention of mentions) {
    const last = kept.at(-1);
    const isSamePlace = last !== undefined && last.start === mention.start && last.end === mention.end;
    if (last === undefined || mention.start >= last.end) kept.push(mention);
    else if (
      isSamePlace &&
      !kept.some((each) => each.start === mention.start && each.source.url === mention.source.url)
    ) {
      kept.push(mention);
    }
  }
  return kept;
}

function countCodePoints(text: string, mentions: readonly Mention[]): readonly UrlCitation[] {
  let unit = 0;
  let point = 0;
  const pointAt = (target: number): number => {
    while (unit < target) {
      unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
      point += 1;
    }
    return point;
  };
  // Starts never go back, ends of equal mentions are equal: one walk through the text is enough.
  const indices = new Map<number, number>();
  const edges = [...new Set(mentions.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
  for (const edge of edges) indices.set(edge, pointAt(edge));
  return mentions.map(({ start, end, source }) => ({
    startIndex: indices.get(start) ?? 0,
    endIndex: indices.get(end) ?? 0,
    title: source.title,
    url: source.url,
  }));
}
