/**
 * Money is a bigint of nano-dollars everywhere inside; numbers and text exist only at the edges, through here.
 * 1 USD = 10^9 nano-dollars = 2,000,000 credits, so 1 credit = 500 nano-dollars.
 */

export const nanoUsdPerUsd = 1_000_000_000n;

const nanoUsdPerCredit = 500n;
const tokensPerPrice = 1_000_000n;

/** What fits the databases' 64-bit integers: about 9.2 thousand million dollars. */
export const nanoUsdMax = 9_223_372_036_854_775_807n;

/** The text or number is no amount of money that we can hold. */
export class MoneyFormatError extends Error {
  constructor(input: string, expected: string) {
    super(`${JSON.stringify(input)} is not an amount in US dollars: expected ${expected}.`);
    this.name = 'MoneyFormatError';
  }
}

/**
 * Reads US dollars (`"1.15"`, `100`, `1e-9`) exactly. Throws `MoneyFormatError` on more than nine decimals, on
 * more than 9.2 thousand million dollars, and on anything that is no number.
 */
export function parseUsd(usd: string | number): bigint {
  const text = typeof usd === 'number' ? plainDecimal(usd) : usd.trim();
  const match = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) {
    throw new MoneyFormatError(String(usd), 'a decimal number such as 12.5');
  }
  const [, sign = '', whole = '', decimals = ''] = match;
  const significant = decimals.replace(/0+$/, '');
  if (significant.length > 9) {
    throw new MoneyFormatError(String(usd), 'at most nine decimals');
  }
  const nanoUsd = BigInt(whole) * nanoUsdPerUsd + BigInt(significant.padEnd(9, '0'));
  if (nanoUsd > nanoUsdMax) {
    throw new MoneyFormatError(String(usd), 'at most 9223372036.854775807');
  }
  return sign === '-' ? -nanoUsd : nanoUsd;
}

/** `1e-7` and `1e21` in plain digits, exactly as JavaScript would print the shortest form of the number. */
function plainDecimal(value: number): string {
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) {
    return text;
  }
  const [, sign = '', first = '', rest = '', exponent = '0'] = match;
  const digits = first + rest;
  const point = 1 + Number(exponent);
  if (point <= 0) {
    return `${sign}0.${'0'.repeat(-point)}${digits}`;
  }
  return point >= digits.length
    ? sign + digits.padEnd(point, '0')
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** US dollars with exactly nine decimals (`"0.000001150"`), as the cost headers carry them. */
export function formatUsd(nanoUsd: bigint): string {
  const magnitude = nanoUsd < 0n ? -nanoUsd : nanoUsd;
  const decimals = (magnitude % nanoUsdPerUsd).toString().padStart(9, '0');
  return `${nanoUsd < 0n ? '-' : ''}${magnitude / nanoUsdPerUsd}.${decimals}`;
}

/** US dollars as a JSON number: the double nearest to the amount, which prints with at most nine decimals. */
export function toUsdNumber(nanoUsd: bigint): number {
  const exact = Number(nanoUsd);
  // The quotient of two exact doubles is rounded once; what no double holds exactly (above 9 million dollars) is not.
  return Number.isSafeInteger(exact) ? exact / 1e9 : Number(formatUsd(nanoUsd));
}

/** Credits for display, rounded half up (half away from zero for negative amounts). */
export function toCredits(nanoUsd: bigint): bigint {
  const magnitude = nanoUsd < 0n ? -nanoUsd : nanoUsd;
  const credits = (magnitude + nanoUsdPerCredit / 2n) / nanoUsdPerCredit;
  return nanoUsd < 0n ? -credits : credits;
}

/** Tokens of one kind at their price. */
export interface PricedTokens {
  readonly tokens: number;
  /** Nano-dollars per million tokens. */
  readonly priceNanoUsd: bigint;
}

/** The cost of a request, rounded up once to a whole nano-dollar: ceil(sum(price × tokens) / 10^6). */
export function costOfTokens(parts: readonly PricedTokens[]): bigint {
  const sum = parts.reduce((total, part) => total + part.priceNanoUsd * BigInt(part.tokens), 0n);
  return (sum + tokensPerPrice - 1n) / tokensPerPrice;
}

/** How many tokens at this price an amount pays for, rounded down; `tokensMax` when the price is empty. */
export function affordableTokens(nanoUsd: bigint, priceNanoUsd: bigint, tokensMax: number): number {
  if (priceNanoUsd === 0n) {
    return tokensMax;
  }
  const tokens = nanoUsd <= 0n ? 0n : (nanoUsd * tokensPerPrice) / priceNanoUsd;
  return tokens >= BigInt(tokensMax) ? tokensMax : Number(tokens);
}
