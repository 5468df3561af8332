/** A queue between a producer that pushes and one consumer that iterates. */
export interface EventStream<T> {
  push(item: T): void;
  /** Lets the consumer finish after what was pushed. */
  end(): void;
  /** Throws `error` at the consumer after what was pushed. Only the first `end` or `fail` counts. */
  fail(error: Error): void;
  readonly items: AsyncIterable<T>;
}

export function createEventStream<T>(): EventStream<T> {
  const queue: T[] = [];
  let outcome: { readonly error: Error | undefined } | undefined;
  let wake: (() => void) | undefined;
  const signal = (): void => {
    wake?.();
    wake = undefined;
  };
  async function* iterate(): AsyncGenerator<T> {
    for (;;) {
      const item = queue.shift();
      if (item !== undefined) {
        yield item;
      } else if (outcome !== undefined) {
        if (outcome.error !== undefined) throw outcome.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }
  return {
    push(item) {
      queue.push(item);
      signal();
    },
    end() {
      outcome ??= { error: undefined };
      signal();
    },
    fail(error) {
      outcome ??= { error };
      signal();
    },
    items: { [Symbol.asyncIterator]: iterate },
  };
}
