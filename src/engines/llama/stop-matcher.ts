/**
 * Looks for stop strings in a stream of text. What is found does not depend on how the text is cut into chunks:
 * the match that is complete first wins, and of several that end at the same place the one that begins first.
 */
export interface StopMatcher {
  /** `released` is text that can no longer belong to a stop string; on a match, the text in front of it. */
  push(text: string): { readonly released: string; readonly isStopped: boolean };
  /** Gives back what was held, because the text ends here. */
  flush(): string;
}

export function createStopMatcher(stops: readonly string[]): StopMatcher {
  let held = '';
  return {
    push(text) {
      held += text;
      const match = findFirstMatch(held, stops);
      if (match !== undefined) {
        const released = held.slice(0, match.start);
        held = '';
        return { released, isStopped: true };
      }
      const keep = measurePossibleStart(held, stops);
      const released = held.slice(0, held.length - keep);
      held = held.slice(held.length - keep);
      return { released, isStopped: false };
    },
    flush() {
      const text = held;
      held = '';
      return text;
    },
  };
}

function findFirstMatch(text: string, stops: readonly string[]): { start: number } | undefined {
  let best: { start: number; end: number } | undefined;
  for (const stop of stops) {
    const start = stop === '' ? -1 : text.indexOf(stop);
    if (start < 0) continue;
    const end = start + stop.length;
    if (best === undefined || end < best.end || (end === best.end && start < best.start))
      best = { start, end };
  }
  return best;
}

/** Length of the longest end of `text` with which some stop string begins. */
function measurePossibleStart(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(stop.slice(0, length))) longest = length;
    }
  }
  return longest;
}
