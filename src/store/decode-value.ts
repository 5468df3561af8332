/**
 * Integers leave both databases in one shape: a column whose name ends in `_nano_usd` is a bigint, every other
 * integer is a number. The name decides, because sums and other expressions carry no declared type.
 */
const moneySuffix = '_nano_usd';

/** A bigint for money, a number for everything else. Throws RangeError on a count beyond 2^53. */
export function decodeInteger(value: bigint, columnName: string): number | bigint {
  if (columnName.endsWith(moneySuffix)) {
    return value;
  }
  const number = Number(value);
  // A count or a time of that size would be a corrupt row: better an error than a silently rounded figure.
  if (!Number.isSafeInteger(number)) {
    throw new RangeError(`Column ${columnName} holds ${value}, which is no safe integer.`);
  }
  return number;
}

/**
 * PostgreSQL's int8 and numeric arrive as text, and their parser does not see the column's name: whole numbers
 * become bigint here and get their final shape in `decodeRow`.
 */
export function parsePostgresNumber(text: string): number | bigint {
  return /^-?\d+$/.test(text) ? BigInt(text) : Number(text);
}

/** Gives every bigint of a row its final shape, in place: the row is fresh from the driver. */
export function decodeRow(row: Record<string, unknown>): void {
  for (const name in row) {
    const value = row[name];
    if (typeof value === 'bigint') {
      row[name] = decodeInteger(value, name);
    } else if (typeof value === 'number' && name.endsWith(moneySuffix)) {
      // An int4 expression such as `0 as x_nano_usd`.
      row[name] = BigInt(value);
    }
  }
}
