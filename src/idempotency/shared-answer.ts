/**
 * One answer that several clients read while it is made. The work goes at its own pace and every reader at its own;
 * what was written stays until the answer is forgotten, which the turn's own length bounds.
 */
import { ApiError } from '../errors.ts';

/** Lower-case names. */
export type AnswerHeaders = Readonly<Record<string, string>>;

export interface AnswerReader {
  /** Whether this client gets what was made for another one. */
  isReplay(): boolean;
  /** Known once `next` has resolved. */
  headers(): AnswerHeaders;
  /** What was written since the last call; undefined at the end. Rejects with the answer's failure. */
  next(): Promise<string | undefined>;
  /** The client is served, or has left. */
  close(): void;
}

export class SharedAnswer {
  readonly digest: string;
  readonly #isStoppedWithoutReaders: boolean;
  readonly #controller = new AbortController();
  readonly #pieces: string[] = [];
  #headers: AnswerHeaders = {};
  #readers = 0;
  #state: { readonly isOver: false } | { readonly isOver: true; readonly failure: ApiError | undefined } = {
    isOver: false,
  };
  #isStored = false;
  #changed = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();

  constructor(options: {
    /** Of the request that it answers. */
    readonly digest: string;
    /** Whether the work ends with its last reader. */
    readonly isStoppedWithoutReaders: boolean;
  }) {
    this.digest = options.digest;
    this.#isStoppedWithoutReaders = options.isStoppedWithoutReaders;
  }

  /** Fires when nobody reads any more, with ApiError `client_closed_request` as its reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Resolves when it has ended or failed. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Everything that was written. */
  get text(): string {
    return this.#pieces.join('');
  }

  /** Before the first piece, or before the end. */
  describe(headers: AnswerHeaders): void {
    this.#headers = headers;
  }

  add(piece: string): void {
    this.#pieces.push(piece);
    this.#wake();
  }

  end(): void {
    this.#conclude(undefined);
  }

  /** An answer from the store, as a whole; to be ended as every other. */
  fill(headers: AnswerHeaders, body: string): void {
    this.#isStored = true;
    this.describe(headers);
    this.add(body);
  }

  fail(failure: ApiError): void {
    this.#conclude(failure);
  }

  openReader(isTwin: boolean): AnswerReader {
    this.#readers += 1;
    let position = 0;
    let isOpen = true;
    return {
      isReplay: () => isTwin || this.#isStored,
      headers: () => this.#headers,
      next: async () => {
        while (position === this.#pieces.length && !this.#state.isOver) await this.#changed.promise;
        const pieces = this.#pieces.slice(position).join('');
        position = this.#pieces.length;
        if (pieces !== '') return pieces;
        if (this.#state.isOver && this.#state.failure !== undefined) throw this.#state.failure;
        return undefined;
      },
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        this.#readers -= 1;
        const isAbandoned = this.#readers === 0 && !this.#state.isOver;
        if (isAbandoned && this.#isStoppedWithoutReaders) {
          this.#controller.abort(new ApiError('client_closed_request'));
        }
      },
    };
  }

  #conclude(failure: ApiError | undefined): void {
    this.#state = { isOver: true, failure };
    this.#wake();
    this.#over.resolve();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
