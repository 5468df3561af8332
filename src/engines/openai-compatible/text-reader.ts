/** What reads the text of one choice, and what it finds in it. */
export interface TextReader {
  feed(text: string): void;
  /** The answer ended: gives out what was held back. */
  end(): void;
}

export interface TextSink {
  text(text: string): void;
  callStart(name: string): void;
  /** Belongs to the call that was started last. */
  callArguments(text: string): void;
}
