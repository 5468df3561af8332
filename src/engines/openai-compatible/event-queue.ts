/**
 * Turns what is pushed (by a parser, many events per network packet) into what is pulled (`for await`). Events that
 * wait are handed out without a detour over the network's callbacks, so a burst costs one promise per event, and
 * less where `merge` makes one event of several.
 */
export interface EventQueueOptions<Item> {
  /** The reader is behind by this much: `onFull` asks the writer to pause, `onDrained` to go on. */
  readonly sizeMax: number;
  onFull(): void;
  onDrained(): void;
  /** The reader stopped before the end. */
  onReturn(): void;
  /** One item that says what both say, or undefined to keep them apart. Asked about an item that waits unread. */
  merge?(waiting: Item, next: Item): Item | undefined;
}

export class EventQueue<Item> implements AsyncIterableIterator<Item> {
  readonly #options: EventQueueOptions<Item>;
  #items: Item[] = [];
  #position = 0;
  #waiting: PromiseWithResolvers<IteratorResult<Item>> | undefined;
  #isEnded = false;
  #failure: Error | undefined;
  #isFull = false;

  constructor(options: EventQueueOptions<Item>) {
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  push(value: Item): void {
    if (this.#isEnded) return;
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve({ done: false, value });
      return;
    }
    const last = this.#items.at(-1);
    const merged = last === undefined ? undefined : this.#options.merge?.(last, value);
    if (merged !== undefined) {
      this.#items[this.#items.length - 1] = merged;
      return;
    }
    this.#items.push(value);
    if (!this.#isFull && this.#items.length - this.#position >= this.#options.sizeMax) {
      this.#isFull = true;
      this.#options.onFull();
    }
  }

  /** Items that wait are still handed out; then the iteration ends. */
  end(): void {
    this.#isEnded = true;
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  /** Items that wait are still handed out; then the iteration throws. */
  fail(failure: Error): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#waiting === undefined) this.#failure = failure;
    else this.#waiting.reject(failure);
    this.#waiting = undefined;
  }

  next(): Promise<IteratorResult<Item>> {
    if (this.#position < this.#items.length) return Promise.resolve({ done: false, value: this.#shift() });
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      return Promise.reject(failure);
    }
    if (this.#isEnded) return Promise.resolve({ done: true, value: undefined });
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  return(): Promise<IteratorResult<Item>> {
    this.#items = [];
    this.#position = 0;
    this.#failure = undefined;
    if (!this.#isEnded) {
      this.end();
      this.#options.onReturn();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  #shift(): Item {
    const item = this.#items[this.#position] as Item; // `next` has just compared the position with the length.
    this.#position += 1;
    if (this.#position === this.#items.length) {
      this.#items = [];
      this.#position = 0;
      if (this.#isFull) {
        this.#isFull = false;
        this.#options.onDrained();
      }
    }
    return item;
  }
}
