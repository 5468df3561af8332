import type { Meter, TurnOutcome, TurnToMeter } from './meter.ts';

/** Tells a listener of every turn that was answered to its end, once it is settled. The listener must not throw. */
export function observeMeter(
  meter: Meter,
  onAnswered: (turn: TurnToMeter, outcome: TurnOutcome) => void,
): Meter {
  return {
    open: async (turn) => {
      const hold = await meter.open(turn);
      let isTold = false;
      return {
        outputTokensMax: hold.outputTokensMax,
        settle: async (outcome) => {
          const charge = await hold.settle(outcome);
          if (outcome.status === 'succeeded' && !isTold) {
            isTold = true;
            onAnswered(turn, outcome);
          }
          return charge;
        },
        release: async (failure) => await hold.release(failure),
      };
    },
  };
}
