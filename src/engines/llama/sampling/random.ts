/**
 * The random numbers of sampling: xoshiro128** (Blackman and Vigna), its 128 bits of state filled by splitmix64
 * from the seed. Written out here, so that a seed means the same sequence on every platform and release.
 */

const mask64 = (1n << 64n) - 1n;

function splitmix64(seed: bigint): () => bigint {
  let state = seed & mask64;
  return () => {
    state = (state + 0x9e3779b97f4a7c15n) & mask64;
    let mixed = state;
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & mask64;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & mask64;
    return mixed ^ (mixed >> 31n);
  };
}

const rotateLeft = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

/** Uniform numbers in [0, 1) with 53 random bits. `seed` is any integer; only its low 64 bits count. */
export function createRandom(seed: number): () => number {
  if (!Number.isInteger(seed)) throw new RangeError(`A seed is an integer, not ${seed}.`);
  const next64 = splitmix64(BigInt(seed));
  const [first, second] = [next64(), next64()];
  let a = Number(first & 0xffffffffn) | 0;
  let b = Number(first >> 32n) | 0;
  let c = Number(second & 0xffffffffn) | 0;
  let d = Number(second >> 32n) | 0;

  const next32 = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
  return () => {
    const high = next32() >>> 5;
    const low = next32() >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  };
}
