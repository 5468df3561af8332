/** Exact decimal arithmetic on doubles: their shortest decimal text, scaled by a power of ten, as a bigint. */

interface Decimal {
  readonly digits: bigint;
  /** The value is digits × 10^exponent. */
  readonly exponent: number;
}

function decode(value: number): Decimal {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (match === null) throw new RangeError(`not a finite number: ${value}`);
  const [, sign = '', whole = '', fraction = '', power = '0'] = match;
  return { digits: BigInt(`${sign}${whole}${fraction}`), exponent: Number(power) - fraction.length };
}

/** Digits after the decimal point in the shortest text of the value. */
export function fractionDigitsOf(value: number): number {
  const { digits, exponent } = decode(value);
  return digits === 0n ? 0 : Math.max(0, -exponent);
}

/** The largest integer n with n / 10^scale ≤ value. */
export function floorScaled(value: number, scale: number): bigint {
  const { digits, exponent } = decode(value);
  const power = exponent + scale;
  if (power >= 0) return digits * 10n ** BigInt(power);
  return floorDivide(digits, 10n ** BigInt(-power));
}

/** The smallest integer n with n / 10^scale ≥ value. */
export const ceilScaled = (value: number, scale: number): bigint => -floorScaled(-value, scale);

/** Rounds towards −∞; the divisor is positive. */
export function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}

/** Rounds towards +∞; the divisor is positive. */
export const ceilDivide = (dividend: bigint, divisor: bigint): bigint => -floorDivide(-dividend, divisor);

const buffer = new DataView(new ArrayBuffer(8));

/** The next double above a finite value. */
export function nextUp(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  buffer.setFloat64(0, value);
  const bits = buffer.getBigInt64(0);
  buffer.setBigInt64(0, value > 0 ? bits + 1n : bits - 1n);
  return buffer.getFloat64(0);
}

/** The next double below a finite value. */
export const nextDown = (value: number): number => -nextUp(-value);
