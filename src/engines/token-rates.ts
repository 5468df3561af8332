/** Tokens per second, from totals that only grow, as they are read now and then. */

export interface TokenTotals {
  readonly promptTokens: number;
  readonly outputTokens: number;
}

export interface TokenRates {
  /** Per second since about ten seconds ago; undefined at the first reading after a pause. */
  note(totals: TokenTotals): TokenTotals | undefined;
}

const windowMs = 10_000;
/** Readings closer together say nothing: a step of the engine computes many tokens at once. */
const spanMsMin = 500;

/** `nowMs` never jumps. */
export function createTokenRates(nowMs: () => number): TokenRates {
  let samples: { readonly at: number; readonly totals: TokenTotals }[] = [];
  return {
    note: (totals) => {
      const at = nowMs();
      // Totals that have shrunk are those of another process.
      samples = samples.filter(
        (sample) => at - sample.at <= 2 * windowMs && sample.totals.outputTokens <= totals.outputTokens,
      );
      const recent = samples.findLastIndex((sample) => at - sample.at >= windowMs);
      samples = samples.slice(Math.max(0, recent));
      const [oldest] = samples;
      samples.push({ at, totals });
      if (oldest === undefined || at - oldest.at < spanMsMin) return undefined;
      const seconds = (at - oldest.at) / 1_000;
      return {
        promptTokens: (totals.promptTokens - oldest.totals.promptTokens) / seconds,
        outputTokens: (totals.outputTokens - oldest.totals.outputTokens) / seconds,
      };
    },
  };
}
