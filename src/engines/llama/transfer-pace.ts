/** What a token costs to compute, to save and to load, as measured here, and what is worth doing by that. */

export interface TransferPace {
  recordPrefill(tokens: number, elapsedMs: number): void;
  recordSave(tokens: number, elapsedMs: number): void;
  /** Reading, checking and loading together. */
  recordLoad(tokens: number, elapsedMs: number): void;
  /** Whether a prefix should be saved instead of being computed again. */
  isWorthSaving(tokens: number): boolean;
  /** Whether loading `savedTokens` is quicker than computing the `gainedTokens` that are needed of them. */
  isWorthLoading(savedTokens: number, gainedTokens: number): boolean;
}

/** Below this a prefix is computed again in a blink, and its file would only crowd out others. */
export const storedTokensMin = 64;
/** A saved prefix is perhaps never asked for again, so it must win by more than a hair. */
const advantage = 2;
/** Weight of the newest measurement. */
const newest = 0.2;

export function createTransferPace(): TransferPace {
  const prefill = createAverage();
  const save = createAverage();
  const load = createAverage();
  return {
    recordPrefill: prefill.record,
    recordSave: save.record,
    recordLoad: load.record,
    isWorthSaving(tokens) {
      if (tokens < storedTokensMin) return false;
      return isUnknownOrAbove(prefill.msPerToken(), advantage * (save.msPerToken() + load.msPerToken()));
    },
    isWorthLoading(savedTokens, gainedTokens) {
      if (gainedTokens < storedTokensMin) return false;
      return isUnknownOrAbove(gainedTokens * prefill.msPerToken(), savedTokens * load.msPerToken());
    },
  };
}

/** Nothing measured yet (0): trying is how it gets measured. */
const isUnknownOrAbove = (costMs: number, boundMs: number): boolean =>
  costMs === 0 || boundMs === 0 || costMs > boundMs;

function createAverage() {
  let average = 0;
  return {
    msPerToken: () => average,
    record(tokens: number, elapsedMs: number): void {
      if (tokens === 0) return;
      const sample = elapsedMs / tokens;
      average = average === 0 ? sample : average * (1 - newest) + sample * newest;
    },
  };
}
