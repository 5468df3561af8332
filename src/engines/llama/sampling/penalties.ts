/**
 * OpenAI's two penalties over the tokens generated so far: `frequency` once per occurrence, `presence` once per
 * distinct token. They touch only those few entries of a row, and leave it as it was afterwards.
 */
export interface Penalties {
  /** Counts a generated token. */
  count(token: number): void;
  /** Subtracts from the row; `undo` puts the old values back. */
  apply(logits: Float32Array): { undo(): void };
}

export function createPenalties(options: {
  readonly presence: number;
  readonly frequency: number;
}): Penalties {
  const { presence, frequency } = options;
  if (presence === 0 && frequency === 0) {
    return { count: () => undefined, apply: () => ({ undo: () => undefined }) };
  }
  const counts = new Map<number, number>();
  return {
    count: (token) => {
      counts.set(token, (counts.get(token) ?? 0) + 1);
    },
    apply(logits) {
      const before = new Map<number, number>();
      for (const [token, count] of counts) {
        const logit = logits[token] ?? Number.NaN;
        before.set(token, logit);
        logits[token] = logit - presence - frequency * count;
      }
      return {
        undo: () => {
          for (const [token, logit] of before) logits[token] = logit;
        },
      };
    },
  };
}
