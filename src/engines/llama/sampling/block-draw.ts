import { blockSize, type LogitScan } from './logit-scan.ts';

/**
 * Draws tokens with probabilities proportional to exp(logit / temperature), exactly, without computing them all.
 * A block is drawn as if each of its tokens were as likely as its best one, then a token of it, which is kept
 * with the ratio of its own weight to that; else the draw begins anew. Each block's best token makes up at
 * least one 64th of what its block is taken for, so a draw takes at most 64 tries on average, whatever the
 * distribution, where the plain way takes an exponential per token of the vocabulary.
 */
export interface BlockDraw {
  /** Looks at the scanned row. `temperature` > 0. */
  prepare(temperature: number): void;
  /** Takes note that the scan was refreshed. */
  refresh(): void;
  /** Undefined when every token was set aside. */
  draw(random: () => number): number | undefined;
}

export function createBlockDraw(scan: LogitScan): BlockDraw {
  const { blockHighs } = scan;
  const cumulated = new Float64Array(blockHighs.length);
  let scale = 1;
  let total = 0;
  // Indices are bounded by the number of blocks; `as number` removes what noUncheckedIndexedAccess adds.

  const refresh = (): void => {
    const high = scan.highest();
    total = 0;
    if (high === Number.NEGATIVE_INFINITY) return;
    for (let block = 0; block < blockHighs.length; block++) {
      total += Math.exp(((blockHighs[block] as number) - high) * scale);
      cumulated[block] = total;
    }
  };
  /** The first block whose cumulated weight is above `mass`. */
  const findBlock = (mass: number): number => {
    let low = 0;
    let high = cumulated.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulated[middle] as number) > mass) high = middle;
      else low = middle + 1;
    }
    return low;
  };

  return {
    prepare(temperature) {
      scale = 1 / temperature;
      refresh();
    },
    refresh,
    draw(random) {
      if (total === 0) return undefined;
      const { row } = scan;
      for (;;) {
        const block = findBlock(random() * total);
        const token = block * blockSize + Math.floor(random() * blockSize);
        // The last block may be short; what lies behind the row has no weight.
        if (token >= row.length) continue;
        const distance = (row[token] as number) - (blockHighs[block] as number);
        if (random() < Math.exp(distance * scale)) return token;
      }
    },
  };
}
