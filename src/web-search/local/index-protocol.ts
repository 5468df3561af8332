/** What the index's thread is asked and answers. One file of SQLite, apart from the store: it can be rebuilt at will. */

/** Where documents come from: a folder, a site, or a list of files. */
export interface IndexSource {
  /** The folder's path or the site's first address; `perigee` for the documentation that ships with this software. */
  readonly address: string;
  readonly documentCount: number;
  /** Milliseconds since 1970; null while the first indexing runs. */
  readonly indexedAt: number | null;
}

/** What is known of a document without its text. */
export interface IndexedDocument {
  readonly url: string;
  /** Changes whenever the document may have: size and time of a file, a page's entity tag. */
  readonly fingerprint: string;
  /** SHA-256 of the bytes. */
  readonly contentHash: string;
  /** Addresses that a page refers to, so that a page that has not changed still leads on. */
  readonly links: readonly string[];
}

export interface DocumentToIndex extends IndexedDocument {
  readonly title: string;
  readonly text: string;
  readonly publishedAt: string | null;
}

export interface FoundPassages {
  readonly url: string;
  readonly title: string;
  readonly publishedAt: string | null;
  /** The best passage first. */
  readonly passages: readonly { readonly position: number; readonly text: string }[];
}

/** Each request with its answer. */
export interface IndexOperations {
  search: { request: { readonly text: string; readonly countMax: number }; answer: readonly FoundPassages[] };
  listSources: { request: Record<string, never>; answer: readonly IndexSource[] };
  listDocuments: { request: { readonly source: string }; answer: readonly IndexedDocument[] };
  putDocument: { request: { readonly source: string; readonly document: DocumentToIndex }; answer: null };
  /** The document is as it was, under another fingerprint. */
  touchDocument: {
    request: { readonly source: string; readonly url: string; readonly fingerprint: string };
    answer: null;
  };
  removeDocument: { request: { readonly source: string; readonly url: string }; answer: null };
  finishSource: { request: { readonly source: string; readonly indexedAt: number }; answer: null };
  /** The answer says whether there was such a source. */
  removeSource: { request: { readonly source: string }; answer: boolean };
}

export type IndexOperation = keyof IndexOperations;

export interface IndexRequest<Operation extends IndexOperation = IndexOperation> {
  readonly id: number;
  readonly operation: Operation;
  readonly request: IndexOperations[Operation]['request'];
}

export type IndexReply =
  | { readonly id: number; readonly type: 'answer'; readonly answer: unknown }
  | { readonly id: number; readonly type: 'failed'; readonly message: string };
