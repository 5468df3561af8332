/**
 * Folds a turn's events into one completion. This is the only non-streaming path: an answer that is not streamed
 * is the same stream, collected.
 */
import { ApiError } from '../errors.ts';
import { type ChoiceFold, createChoiceFold, type FoldedChoice } from './choice-fold.ts';
import type { ChatEvent, Usage } from './types.ts';

export interface CollectedCompletion {
  /** By choice index. */
  readonly choices: readonly FoldedChoice[];
  readonly usage: Usage;
}

/** A completion that grows event by event. */
export interface CompletionFold {
  /** `finish` is not its business: see `complete`. */
  add(event: Exclude<ChatEvent, { type: 'finish' }>): void;
  /** Throws ApiError `engine_failed` when a choice has not finished. */
  complete(usage: Usage): CollectedCompletion;
}

export function createCompletionFold(): CompletionFold {
  const folds: ChoiceFold[] = [];
  return {
    add: (event) => {
      if (event.type === 'prefill-progress') return;
      let fold = folds[event.choice];
      if (fold === undefined) {
        fold = createChoiceFold();
        folds[event.choice] = fold;
      }
      fold.add(event);
    },
    complete: (usage) => ({ choices: Array.from(folds, requireResult), usage }),
  };
}

/** Throws what the events throw, and `engine_failed` when they end without `finish`. */
export async function collectCompletion(events: AsyncIterable<ChatEvent>): Promise<CollectedCompletion> {
  const fold = createCompletionFold();
  let usage: Usage | undefined;
  for await (const event of events) {
    if (event.type === 'finish') usage = event.usage;
    else fold.add(event);
  }
  if (usage === undefined)
    throw new ApiError('engine_failed', { internal: 'the events ended without `finish`' });
  return fold.complete(usage);
}

/** `folds` may have holes when an engine left a choice out; they are failures too. */
function requireResult(fold: ChoiceFold | undefined, choice: number): FoldedChoice {
  const result = fold?.result();
  if (result === undefined) {
    throw new ApiError('engine_failed', { internal: `choice ${choice} never finished` });
  }
  return result;
}
