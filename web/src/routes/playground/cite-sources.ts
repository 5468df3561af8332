/** An answer's annotations → its sources, and its text with a link `#cite-<n>` where each is cited. */
import type { Annotation } from '../../api/wire-types.ts';

export interface CitedSource {
  readonly title: string;
  readonly url: string;
}

export interface CitedText {
  readonly text: string;
  /** In the order of their first citation; `#cite-1` is the first. */
  readonly sources: readonly CitedSource[];
}

/** A mark that the model wrote itself, such as `[1]`: it becomes the link instead of standing beside it. */
const ownMark = /^\s*[[【(]?\^?\d{1,3}(?:†[^\]】]*)?[\]】)]?$/;

/** Positions count Unicode code points, not UTF-16 units: an emoji before a citation must not shift it. */
export function citeSources(text: string, annotations: readonly Annotation[]): CitedText {
  if (annotations.length === 0) return { text, sources: [] };
  const points = [...text];
  const citations = annotations
    .map(({ url_citation: citation }) => citation)
    .filter(({ start_index: start, end_index: end }) => start >= 0 && start <= end && end <= points.length)
    .toSorted((one, other) => one.start_index - other.start_index);
  const sources: CitedSource[] = [];
  let result = '';
  let position = 0;
  for (const { start_index: start, end_index: end, title, url } of citations) {
    let number = sources.findIndex((source) => source.url === url) + 1;
    if (number === 0) number = sources.push({ title: title || url, url });
    const cited = points.slice(Math.max(start, position), Math.max(end, position)).join('');
    result += points.slice(position, Math.max(start, position)).join('');
    result += `${ownMark.test(cited) ? '' : cited}[${number}](#cite-${number})`;
    position = Math.max(end, position);
  }
  return { text: result + points.slice(position).join(''), sources };
}
