import { blockSize, type LogitScan } from './logit-scan.ts';

/** Natural logs of probabilities of the model's raw output: before penalties, temperature and constraints. */
export interface RawLogprob {
  readonly logprob: number;
  /** The likeliest tokens, best first. */
  readonly top: readonly { readonly token: number; readonly logprob: number }[];
}

/** Tokens this far below the best are left out of the sum; a million of them would add less than 1e-7. */
const neglectedDistance = 30;

/** What the probabilities of one row are computed from, taken before anything changes the row. */
export interface RawDistribution {
  of(token: number): RawLogprob;
}

/** Log-softmax of a row over the whole vocabulary. The scan is left as having read `logits`. */
export function measureDistribution(
  scan: LogitScan,
  logits: Float32Array,
  topCount: number,
): RawDistribution {
  scan.read(logits);
  const high = scan.highest();
  const sum = sumExponentials(scan, high);
  const logTotal = high + Math.log(sum);
  const top = findTop(scan, topCount).map(({ token, logit }) => ({ token, logprob: logit - logTotal }));
  const raw = logits.slice();
  return { of: (token) => ({ logprob: (raw[token] ?? Number.NaN) - logTotal, top }) };
}

function sumExponentials(scan: LogitScan, high: number): number {
  const { row, blockHighs } = scan;
  const cutoff = high - neglectedDistance;
  let sum = 0;
  for (const [block, blockHigh] of blockHighs.entries()) {
    if (blockHigh < cutoff) continue;
    const end = Math.min((block + 1) * blockSize, row.length);
    // The index is within the row.
    for (let token = block * blockSize; token < end; token++) sum += Math.exp((row[token] as number) - high);
  }
  return sum;
}

/** The `count` highest, best first; of equals the lower number. Blocks that cannot hold one are passed over. */
function findTop(scan: LogitScan, count: number): { token: number; logit: number }[] {
  const { row, blockHighs } = scan;
  const top: { token: number; logit: number }[] = [];
  let lowest = Number.NEGATIVE_INFINITY;
  if (count === 0) return top;
  for (const [block, blockHigh] of blockHighs.entries()) {
    if (blockHigh <= lowest) continue;
    const end = Math.min((block + 1) * blockSize, row.length);
    for (let token = block * blockSize; token < end; token++) {
      const logit = row[token] as number; // The index is within the row.
      if (logit <= lowest) continue;
      let place = top.length;
      while (place > 0 && (top[place - 1]?.logit ?? 0) < logit) place--;
      top.splice(place, 0, { token, logit });
      if (top.length > count) top.pop();
      if (top.length === count) lowest = top.at(-1)?.logit ?? lowest;
    }
  }
  return top;
}
