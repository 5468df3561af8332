/** Medians, percentiles and the words they are printed in. */

/** The value at a quantile from 0 to 1 (nearest rank); NaN for an empty list. */
export function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const middle = Math.floor(values.length / 2);
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[middle] ?? Number.NaN;
  return values.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Three significant digits, no exponent; `–` for what was not measured. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
