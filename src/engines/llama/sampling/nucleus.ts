import { blockSize, type LogitScan } from './logit-scan.ts';

/** Probability mass, relative to the likeliest token, that may be left out: far below what a 32-bit logit means. */
const neglectedMass = 1e-7;

/** Tokens less likely than the best by this factor are only summed at first; a nucleus rarely reaches them. */
const likelyDistance = 10;

/**
 * The nucleus of `topP`: the fewest tokens that hold this share of the probability after temperature, the likelier
 * (then the lower-numbered) ones first. Scratch memory of one vocabulary, used by one draw at a time.
 */
export interface Nucleus {
  /** Fills from the scanned row. `temperature` > 0; `topP` in (0, 1). */
  fill(temperature: number, topP: number): void;
  /** A token drawn with `uniform` in [0, 1); undefined when no weight is left. */
  draw(uniform: number): number | undefined;
  /** Sets the last drawn token aside, if one was drawn; the others keep their proportions. */
  rejectDrawn(): void;
  /** Keeps only tokens for which `isAllowed` holds. */
  restrict(isAllowed: (token: number) => boolean): void;
}

export function createNucleus(scan: LogitScan, size: number): Nucleus {
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
  /** Collects tokens not further from the best than `distance`; returns the mass of all that count. */
  const collect = (temperature: number, distance: number): number => {
    const { row, blockHighs } = scan;
    const high = scan.highest();
    const lowest = high - temperature * Math.log(size / neglectedMass);
    const cutoff = high - temperature * distance;
    let mass = 0;
    begin = 0;
    end = 0;
    if (high === Number.NEGATIVE_INFINITY) return 0;
    for (let block = 0; block < blockHighs.length; block++) {
      if ((blockHighs[block] as number) < lowest) continue;
      const blockEnd = Math.min((block + 1) * blockSize, size);
      for (let token = block * blockSize; token < blockEnd; token++) {
        const logit = row[token] as number;
        if (logit < lowest) continue;
        const weight = Math.exp((logit - high) / temperature);
        mass += weight;
        if (logit < cutoff) continue;
        tokens[end] = token;
        weights[end] = weight;
        end++;
      }
    }
    return mass;
  };
  /** The likeliest tokens until they hold `needed`: a heap sort that stops early. */
  const keepLikeliest = (needed: number): void => {
    for (let parent = (end >> 1) - 1; parent >= 0; parent--) siftDown(parent, end);
    let heapCount = end;
    let mass = 0;
    while (heapCount > 0 && mass < needed) {
      mass += weights[0] as number;
      heapCount--;
      swap(0, heapCount);
      siftDown(0, heapCount);
    }
    begin = heapCount;
  };

  return {
    fill(temperature, topP) {
      drawn = -1;
      const mass = collect(temperature, likelyDistance);
      if (sumWeights() < topP * mass) collect(temperature, Number.POSITIVE_INFINITY);
      keepLikeliest(topP * mass);
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
      if (drawn < 0) return;
      weights[drawn] = 0;
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
