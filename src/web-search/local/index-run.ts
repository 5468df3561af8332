/** What indexing a folder and indexing a site have in common: what is new, what has gone, and telling about it. */
import { createHash } from 'node:crypto';
import { type DocumentSource, ExtractError, type Extractor } from '../../extract/document.ts';
import type { IndexedDocument } from './index-protocol.ts';
import type { LocalIndex } from './local-index.ts';

export interface IndexProgress {
  readonly type: 'added' | 'unchanged' | 'skipped';
  readonly url: string;
  /** Why it was skipped, for people. */
  readonly reason?: string;
  /** Documents that are done, and how many are known so far. */
  readonly doneCount: number;
  readonly totalCount: number;
}

export interface IndexParts {
  readonly index: LocalIndex;
  readonly extractor: Extractor;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: IndexProgress) => void;
}

export interface IndexCounts {
  readonly added: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly removed: number;
}

export interface ReadDocument {
  readonly url: string;
  readonly fingerprint: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly labels: Omit<DocumentSource, 'content'>;
  /** Where the document has no title of its own. */
  readonly fallbackTitle: string;
}

/** The state of one indexing of one source. */
export interface IndexRun {
  readonly known: ReadonlyMap<string, IndexedDocument>;
  /** The document is as it was. */
  keep(url: string): void;
  skip(url: string, reason: string): void;
  /** Puts the document into the index, unless its content is what it was. Returns its links. */
  add(document: ReadDocument): Promise<readonly string[]>;
  setTotal(count: number): void;
  /** Removes what was not met, and writes down when this was. */
  finish(): Promise<IndexCounts>;
}

export async function beginIndexRun(source: string, parts: IndexParts): Promise<IndexRun> {
  const { index, extractor, signal, onProgress } = parts;
  const known = new Map(
    (await index.ask('listDocuments', { source })).map((document) => [document.url, document]),
  );
  const met = new Set<string>();
  const counts = { added: 0, unchanged: 0, skipped: 0 };
  let totalCount = 0;
  const report = (type: IndexProgress['type'], url: string, reason?: string): void => {
    counts[type] += 1;
    const doneCount = counts.added + counts.unchanged + counts.skipped;
    totalCount = Math.max(totalCount, doneCount);
    onProgress({ type, url, doneCount, totalCount, ...(reason !== undefined && { reason }) });
  };
  const keep = (url: string): void => {
    met.add(url);
    report('unchanged', url);
  };
  return {
    known,
    keep,
    skip: (url, reason) => report('skipped', url, reason),
    setTotal: (count) => {
      totalCount = count;
    },
    async add({ url, fingerprint, bytes, labels, fallbackTitle }) {
      const contentHash = createHash('sha256').update(bytes).digest('hex');
      const before = known.get(url);
      if (before?.contentHash === contentHash) {
        await index.ask('touchDocument', { source, url, fingerprint });
        keep(url);
        return before.links;
      }
      try {
        const { title, text, links, publishedAt } = await extractor.extract(
          { content: { bytes }, ...labels },
          signal,
        );
        const document = { url, fingerprint, contentHash, links, title: title || fallbackTitle, text };
        await index.ask('putDocument', {
          source,
          document: { ...document, publishedAt: publishedAt ?? null },
        });
        met.add(url);
        report('added', url);
        return links;
      } catch (error) {
        if (!(error instanceof ExtractError)) throw error;
        report('skipped', url, error.message);
        return [];
      }
    },
    async finish() {
      const gone = [...known.keys()].filter((url) => !met.has(url));
      for (const url of gone) await index.ask('removeDocument', { source, url });
      await index.ask('finishSource', { source, indexedAt: Date.now() });
      return { ...counts, removed: gone.length };
    },
  };
}
