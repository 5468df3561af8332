/** The empty meter: every turn is free, so that the way of a turn is the same before and after prices exist. */
import type { Meter } from './meter.ts';

export function createFreeMeter(): Meter {
  return {
    open: async ({ outputTokensMax, choiceCount }) => ({
      outputTokensMax: Math.floor(outputTokensMax / choiceCount),
      settle: async () => ({ costNanoUsd: 0n }),
      release: async () => undefined,
    }),
  };
}
