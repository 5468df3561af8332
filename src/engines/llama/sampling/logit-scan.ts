/**
 * One pass over a row of logits, remembered as the highest value of each block of 64 tokens. Everything after
 * it (next best token, a draw, all tokens above a cutoff) then visits only the few blocks that matter.
 */

export const blockSize = 64;

// Indices below are bounded by the loops; `as number` removes the `undefined` that noUncheckedIndexedAccess adds.

export interface LogitScan {
  /** Reads a row. Throws an Error when it holds NaN or +∞, or nothing above −∞: the model's output is broken. */
  read(logits: Float32Array): void;
  /** The row that was read; it must not be changed without `refresh`. */
  readonly row: Float32Array;
  /** The highest value of each block. */
  readonly blockHighs: Float32Array;
  /** The highest value of the row; −∞ when every token was set aside. */
  highest(): number;
  /** The token with the highest value; of equals, the one with the lowest number. */
  best(): number;
  /** Takes one changed value of the row into account. */
  refresh(token: number): void;
}

export function createLogitScan(size: number): LogitScan {
  const blockHighs = new Float32Array(Math.ceil(size / blockSize));
  let row = new Float32Array(0);

  const highestBlock = (): number => {
    let best = 0;
    for (let block = 1; block < blockHighs.length; block++) {
      if ((blockHighs[block] as number) > (blockHighs[best] as number)) best = block;
    }
    return best;
  };

  return {
    blockHighs,
    get row() {
      return row;
    },
    read(logits) {
      if (logits.length !== size) {
        throw new Error(`A row of logits has ${size} values, not ${logits.length}.`);
      }
      row = logits as Float32Array<ArrayBuffer>; // The kind of buffer behind it does not matter here.
      for (let block = 0; block < blockHighs.length; block++) blockHighs[block] = measureBlock(row, block);
      const high = blockHighs[highestBlock()] as number;
      if (!Number.isFinite(high)) throw new Error(`The highest logit of the model's output is ${high}.`);
    },
    highest: () => blockHighs[highestBlock()] as number,
    best() {
      const block = highestBlock();
      const high = blockHighs[block];
      let token = block * blockSize;
      while (row[token] !== high) token++;
      return token;
    },
    refresh(token) {
      const block = Math.floor(token / blockSize);
      blockHighs[block] = measureBlock(row, block);
    },
  };
}

function measureBlock(row: Float32Array, block: number): number {
  const end = Math.min((block + 1) * blockSize, row.length);
  let high = Number.NEGATIVE_INFINITY;
  for (let token = block * blockSize; token < end; token++) {
    const logit = row[token] as number;
    // Negated, so that NaN enters the branch too and costs the common path nothing.
    if (!(logit <= high)) {
      if (Number.isNaN(logit)) throw new Error(`The model gave NaN as the logit of token ${token}.`);
      high = logit;
    }
  }
  return high;
}
