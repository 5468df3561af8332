/**
 * THE SEAM of reading documents: bytes of some format in, plain text out. `create-extractor.ts` does it in worker
 * threads with limits of time and memory, because the bytes are whatever strangers sent.
 */

/** What the bytes are, by their content first and their name second. */
export type DocumentKind =
  | 'html'
  | 'pdf'
  | 'docx'
  | 'xlsx'
  | 'pptx'
  | 'epub'
  | 'markdown'
  | 'csv'
  | 'json'
  | 'text';

export interface DocumentSource {
  /** The bytes, which the thread takes over (the caller's array is empty afterwards), or a file that it reads. */
  readonly content: { readonly bytes: Uint8Array<ArrayBuffer> } | { readonly path: string };
  /** What the sender calls the file; its extension helps where the content does not tell. */
  readonly name?: string;
  /** The `Content-Type` that it came with, parameters and all. */
  readonly mediaType?: string;
  /** Where a page was fetched: its links are relative to it. */
  readonly url?: string;
}

export interface ExtractedDocument {
  readonly kind: DocumentKind;
  /** Empty when the document has none. */
  readonly title: string;
  /** Paragraphs separated by blank lines; text formats as they are, but decoded. Never only white space. */
  readonly text: string;
  /** BCP 47, where the document says so. */
  readonly language?: string;
  /** ISO 8601 date or instant, where the document says so. */
  readonly publishedAt?: string;
  /** Of HTML alone: absolute http addresses in the order of the page, without fragments, each once. */
  readonly links: readonly string[];
}

export type ExtractFailure =
  /** No format that is read, or a binary file without one. */
  | 'unsupported'
  /** Broken off, or not what it pretends to be. */
  | 'damaged'
  | 'encrypted'
  /** Read well, and there is no text: scanned pages, empty sheets. */
  | 'no_text'
  /** More bytes, parts or text than may be read. */
  | 'too_large'
  /** The time or the memory of a thread was used up: bombs end here at the latest. */
  | 'too_costly';

/** The message is for people: it says what is wrong with their file. */
export class ExtractError extends Error {
  readonly failure: ExtractFailure;

  constructor(failure: ExtractFailure, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'ExtractError';
    this.failure = failure;
  }
}

export interface Extractor {
  /** Throws ExtractError, or the signal's reason. */
  extract(source: DocumentSource, signal: AbortSignal): Promise<ExtractedDocument>;
  /** Ends running threads; their jobs are rejected. */
  close(): Promise<void>;
}

/** Limits of one document. */
export interface ExtractLimits {
  /** Of the text, in UTF-16 units. */
  readonly textCharsMax: number;
}
