import type { UrlCitation } from '../../chat/types.ts';

/** Citations as `message.annotations` and, in streams, `delta.annotations` of a choice's last chunk. */
export function encodeAnnotations(citations: readonly UrlCitation[]) {
  return citations.map(({ startIndex, endIndex, title, url }) => ({
    type: 'url_citation',
    url_citation: { start_index: startIndex, end_index: endIndex, title, url },
  }));
}
