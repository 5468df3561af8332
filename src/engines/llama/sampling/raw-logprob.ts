import type { LogitScan } from './logit-scan.ts';

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
  let sum = 0;
  scan.forEachFrom(high - neglectedDistance, (_token, logit) => {
    sum += Math.exp(logit - high);
  });
  const logTotal = high + Math.log(sum);
  const top = findTop(scan, topCount).map(({ token, logit }) => ({ token, logprob: logit - logTotal }));
  const raw = logits.slice();
  return { of: (token) => ({ logprob: (raw[token] ?? Number.NaN) - logTotal, top }) };
}

function findTop(scan: LogitScan, count: number): { token: number; logit: number }[] {
  const top: { token: number; logit: number }[] = [];
  if (count === 0) return top;
  // A cutoff that surely leaves enough tokens is searched by widening; the first width nearly always does.
  for (let distance = 8; ; distance *= 4) {
    top.length = 0;
    scan.forEachFrom(scan.highest() - distance, (token, logit) => {
      const last = top.at(-1);
      if (top.length === count && last !== undefined && logit <= last.logit) return;
      let place = top.length;
      while (place > 0 && (top[place - 1]?.logit ?? 0) < logit) place--;
      top.splice(place, 0, { token, logit });
      if (top.length > count) top.pop();
    });
    if (top.length === count || distance > 1e6) return top;
  }
}
