import type { LocalIndex } from '../local/local-index.ts';
import { type SearchBackend, SearchBackendError } from '../search-backend.ts';

const snippetCharsMax = 300;

/** The embedded default: what the operator put into the local index. Needs no network and no key. */
export function createLocalBackend(index: LocalIndex): SearchBackend {
  return {
    id: 'local',
    async search({ text, countMax }, signal) {
      signal.throwIfAborted();
      const found = await index.ask('search', { text, countMax }).catch((cause: unknown) => {
        throw new SearchBackendError('local', 'unavailable', { detail: 'the index cannot be read', cause });
      });
      signal.throwIfAborted();
      return found.map(({ url, title, publishedAt, passages }) => ({
        title,
        url,
        snippet: (passages[0]?.text ?? '').slice(0, snippetCharsMax),
        // In the document's own order, so that what belongs together is read together.
        text: passages
          .toSorted((left, right) => left.position - right.position)
          .map((passage) => passage.text)
          .join('\n\n'),
        ...(publishedAt !== null && { publishedAt }),
      }));
    },
  };
}
