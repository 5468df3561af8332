import { blockSize, type LogitScan } from './logit-scan.ts';
import { createWeightedTokens, type WeightedTokens } from './weighted-tokens.ts';

/** Probability mass, relative to the likeliest token, that may be left out: far below what a 32-bit logit means. */
const neglectedMass = 1e-7;

/** Tokens less likely than the best by more than this are only summed at first; a nucleus rarely reaches them. */
const likelyDistance = 10;

/**
 * The nucleus of `topP`: the fewest tokens that hold this share of the probability after temperature, the likelier
 * (then the lower-numbered) ones first. Scratch memory of one vocabulary, used by one draw at a time.
 */
export interface Nucleus extends Pick<WeightedTokens, 'draw' | 'rejectDrawn' | 'restrict'> {
  /** Fills from the scanned row. `temperature` > 0; `topP` in (0, 1). */
  fill(temperature: number, topP: number): void;
}

export function createNucleus(scan: LogitScan, size: number): Nucleus {
  const members = createWeightedTokens(size);

  /** Collects tokens not further from the best than `distance`; returns the mass of all that count. */
  const collect = (temperature: number, distance: number): number => {
    const { row, blockHighs } = scan;
    const high = scan.highest();
    const lowest = high - temperature * Math.log(size / neglectedMass);
    const cutoff = high - temperature * distance;
    let mass = 0;
    members.clear();
    if (high === Number.NEGATIVE_INFINITY) return 0;
    for (const [block, blockHigh] of blockHighs.entries()) {
      if (blockHigh < lowest) continue;
      const end = Math.min((block + 1) * blockSize, size);
      for (let token = block * blockSize; token < end; token++) {
        const logit = row[token] as number; // The index is within the row.
        if (logit < lowest) continue;
        const weight = Math.exp((logit - high) / temperature);
        mass += weight;
        if (logit >= cutoff) members.add(token, weight);
      }
    }
    return mass;
  };

  return {
    draw: members.draw,
    rejectDrawn: members.rejectDrawn,
    restrict: members.restrict,
    fill(temperature, topP) {
      const mass = collect(temperature, likelyDistance);
      if (members.total() < topP * mass) collect(temperature, Number.POSITIVE_INFINITY);
      members.keepHeaviest(topP * mass);
    },
  };
}
