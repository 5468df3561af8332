/**
 * Tokens with weights, to keep the heaviest of and to draw from. Scratch memory of one vocabulary; an early-ending
 * heap sort, because a nucleus is mostly a few of many.
 */
export interface WeightedTokens {
  clear(): void;
  add(token: number, weight: number): void;
  /** The sum of all weights. */
  total(): number;
  /** Keeps the heaviest (of equals, the lower token) until they weigh `needed`. */
  keepHeaviest(needed: number): void;
  /** A token drawn with `uniform` in [0, 1); undefined when no weight is left. */
  draw(uniform: number): number | undefined;
  /** Sets the last drawn token aside, if one was drawn; the others keep their proportions. */
  rejectDrawn(): void;
  /** Keeps only tokens for which `isAllowed` holds. */
  restrict(isAllowed: (token: number) => boolean): void;
}

export function createWeightedTokens(size: number): WeightedTokens {
  const heap = createHeap(size);
  const { tokens, weights } = heap;
  // The members lie in [begin, end); `as number` removes the `undefined` that noUncheckedIndexedAccess adds.
  let begin = 0;
  let end = 0;
  let drawn = -1;

  const total = (): number => {
    let sum = 0;
    for (let index = begin; index < end; index++) sum += weights[index] as number;
    return sum;
  };
  return {
    total,
    clear() {
      begin = 0;
      end = 0;
      drawn = -1;
    },
    add(token, weight) {
      tokens[end] = token;
      weights[end] = weight;
      end++;
    },
    keepHeaviest(needed) {
      begin = heap.moveHeaviestToEnd(end, needed);
    },
    draw(uniform) {
      // Summed anew after each change: subtracting a dominant weight would leave only rounding error.
      let left = uniform * total();
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
    },
    restrict(isAllowed) {
      for (let index = begin; index < end; index++) {
        if (!isAllowed(tokens[index] as number)) weights[index] = 0;
      }
    },
  };
}

function createHeap(size: number) {
  const tokens = new Int32Array(size);
  const weights = new Float64Array(size);
  // Indices are bounded by the count; `as number` as above.

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
  /** Returns where the members that were moved begin. */
  const moveHeaviestToEnd = (count: number, needed: number): number => {
    for (let parent = (count >> 1) - 1; parent >= 0; parent--) siftDown(parent, count);
    let heapCount = count;
    let mass = 0;
    while (heapCount > 0 && mass < needed) {
      mass += weights[0] as number;
      heapCount--;
      swap(0, heapCount);
      siftDown(0, heapCount);
    }
    return heapCount;
  };
  return { tokens, weights, moveHeaviestToEnd };
}
