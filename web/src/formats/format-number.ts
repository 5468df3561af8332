/** Numbers, money and times as the language writes them. All pure: the language is passed in. */
import type { Language } from '../i18n/messages.ts';

const formatters = new Map<string, Intl.NumberFormat>();

function numberFormat(language: Language, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = language + JSON.stringify(options);
  const known = formatters.get(key) ?? new Intl.NumberFormat(language, options);
  formatters.set(key, known);
  return known;
}

/** `12,345`. */
export function formatCount(value: number, language: Language): string {
  return numberFormat(language, { maximumFractionDigits: 0 }).format(value);
}

/** `12.3K`: where a column has no room for every digit. */
export function formatCompact(value: number, language: Language): string {
  return numberFormat(language, { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}

/** `0.125` → `12.5 %` as the language writes it. */
export function formatPercent(ratio: number, language: Language): string {
  return numberFormat(language, { style: 'percent', maximumFractionDigits: 1 }).format(ratio);
}

/**
 * US dollars. Amounts from a dollar on have two decimals; smaller ones as many as their first two digits need, at most
 * nine, because a request may cost a millionth and must not read as nothing.
 */
export function formatUsd(usd: number, language: Language): string {
  const size = Math.abs(usd);
  const decimals = size === 0 || size >= 1 ? 2 : Math.min(9, Math.max(2, 1 - Math.floor(Math.log10(size))));
  return numberFormat(language, {
    style: 'currency',
    currency: 'USD',
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: Math.min(2, decimals),
    maximumFractionDigits: decimals,
  }).format(usd);
}

/** US dollars with a fixed number of decimals, so that a column of them aligns. */
export function formatUsdColumn(usd: number, language: Language, decimals = 6): string {
  return numberFormat(language, {
    style: 'currency',
    currency: 'USD',
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  }).format(usd);
}

/** `320ms`, `4.2s`, `3m`. */
export function formatDuration(milliseconds: number, language: Language): string {
  const unit = (value: number, name: string, digits: number): string =>
    numberFormat(language, {
      style: 'unit',
      unit: name,
      unitDisplay: 'narrow',
      maximumFractionDigits: digits,
    }).format(value);
  if (milliseconds < 1_000) return unit(milliseconds, 'millisecond', 0);
  if (milliseconds < 120_000) return unit(milliseconds / 1_000, 'second', milliseconds < 10_000 ? 2 : 1);
  if (milliseconds < 7_200_000) return unit(milliseconds / 60_000, 'minute', 0);
  return unit(milliseconds / 3_600_000, 'hour', 1);
}

/** `94.2 MB`, `24 B`. */
export function formatBytes(bytes: number, language: Language): string {
  // Intl spells this unit out, and in the singular: “24 byte”.
  if (bytes < 1_000) return `${formatCount(bytes, language)} B`;
  const steps = ['kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
  const step = Math.min(steps.length, Math.floor(Math.log10(bytes) / 3));
  return numberFormat(language, {
    style: 'unit',
    unit: steps[step - 1] ?? 'terabyte',
    maximumFractionDigits: 1,
  }).format(bytes / 1_000 ** step);
}
