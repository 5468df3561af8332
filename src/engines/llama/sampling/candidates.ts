import type { LogitScan } from './logit-scan.ts';

/** Probability mass, relative to the likeliest token, that may be left out: far below what a 32-bit logit means. */
const neglectedMass = 1e-7;

/**
 * The tokens a draw chooses from, with weights proportional to their probabilities after temperature, cut down
 * to the nucleus of `topP`. Scratch memory of one vocabulary size, used by one draw at a time.
 */
export interface Candidates {
  /** Fills from the scanned row. `temperature` > 0; `topP` in (0, 1]. */
  fill(scan: LogitScan, temperature: number, topP: number): void;
  /** A token drawn with `uniform` in [0, 1); undefined when no weight is left. */
  draw(uniform: number): number | undefined;
  /** Sets the last drawn token aside; the others keep their proportions. */
  rejectDrawn(): void;
  /** Keeps only tokens for which `isAllowed` holds. */
  restrict(isAllowed: (token: number) => boolean): void;
}

export function createCandidates(size: number): Candidates {
  const tokens = new Int32Array(size);
  const weights = new Float64Array(size);
  let begin = 0;
  let end = 0;
  let total = 0;
  let drawn = -1;
  // Indices are bounded by begin and end; `as number` removes the `undefined` that noUncheckedIndexedAccess adds.

  const isBefore = (left: number, right: number): boolean => {
    const difference = (weights[left] as number) - (weights[right] as number);
    return difference > 0 || (difference === 0 && (tokens[left] as number) < (tokens[right] as number));
  };
  const swap = (left: number, right: number): void => {
    const [token, weight] = [tokens[left] as number, weights[left] as number];
    tokens[left] = tokens[right] as number;
    weights[left] = weights[right] as number;
    tokens[right] = token;
    weights[right] = weight;
  };
  const siftDown = (from: number, count: number): void => {
    let parent = from;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= count) return;
      if (child + 1 < count && isBefore(child + 1, child)) child++;
      if (!isBefore(child, parent)) return;
      swap(child, parent);
      parent = child;
    }
  };
  const sumWeights = (): number => {
    let sum = 0;
    for (let index = begin; index < end; index++) sum += weights[index] as number;
    return sum;
  };
  /** The likeliest tokens until they hold `topP` of the mass: a heap sort that stops early. */
  const keepNucleus = (topP: number): void => {
    for (let parent = (end >> 1) - 1; parent >= 0; parent--) siftDown(parent, end);
    let heapCount = end;
    let mass = 0;
    while (heapCount > 0 && mass < topP * total) {
      mass += weights[0] as number;
      heapCount--;
      swap(0, heapCount);
      siftDown(0, heapCount);
    }
    begin = heapCount;
  };

  return {
    fill(scan, temperature, topP) {
      const high = scan.highest();
      begin = 0;
      end = 0;
      scan.forEachFrom(high - temperature * Math.log(size / neglectedMass), (token, logit) => {
        tokens[end] = token;
        weights[end] = Math.exp((logit - high) / temperature);
        end++;
      });
      total = sumWeights();
      if (topP < 1) keepNucleus(topP);
      total = sumWeights();
    },
    draw(uniform) {
      let left = uniform * total;
      drawn = -1;
      for (let index = begin; index < end; index++) {
        const weight = weights[index] as number;
        if (weight === 0) continue;
        drawn = index;
        left -= weight;
        if (left < 0) break;
      }
      return drawn < 0 ? undefined : tokens[drawn];
    },
    rejectDrawn() {
      if (drawn >= 0) weights[drawn] = 0;
      // Summed anew: subtracting a dominant weight would leave only rounding error.
      total = sumWeights();
    },
    restrict(isAllowed) {
      for (let index = begin; index < end; index++) {
        if (!isAllowed(tokens[index] as number)) weights[index] = 0;
      }
      total = sumWeights();
    },
  };
}
