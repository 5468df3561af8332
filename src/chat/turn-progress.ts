/**
 * What a running turn has cost so far, for a turn that ends before its engine could report usage (the client
 * left). Attempts that were refused do not count.
 */
import type { EngineEvent } from '../engines/engine.ts';
import type { Usage } from './types.ts';

export interface TurnProgress {
  record(event: EngineEvent): void;
  /** The choice is generated again from nothing. */
  restart(choice: number): void;
  /** A lower bound: engines may have generated tokens whose text was not out yet. */
  usage(): Usage;
}

export function createTurnProgress(promptTokens: number): TurnProgress {
  const tokensByChoice: number[] = [];
  let cachedTokens = 0;
  let reported: Usage | undefined;

  const add = (choice: number, count: number): void => {
    tokensByChoice[choice] = (tokensByChoice[choice] ?? 0) + count;
  };

  return {
    record(event) {
      switch (event.type) {
        case 'text-delta':
        case 'tool-call-delta':
          return add(event.choice, event.tokenCount ?? 1);
        case 'choice-finish':
          tokensByChoice[event.choice] = event.completionTokens;
          return;
        case 'prefill-progress':
          cachedTokens = event.cachedTokens ?? cachedTokens;
          return;
        case 'finish':
          reported ??= event.usage;
          return;
        case 'tool-call-start':
          return;
        default:
          event satisfies never;
      }
    },
    restart(choice) {
      tokensByChoice[choice] = 0;
    },
    usage() {
      const completionTokens = tokensByChoice.reduce((sum, count) => sum + count, 0);
      if (reported !== undefined) return { ...reported, completionTokens };
      return { promptTokens, cachedTokens, completionTokens, source: 'estimate' };
    },
  };
}
