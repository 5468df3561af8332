import { useMemo } from 'react';
import { useLanguage } from '../i18n/language-context.tsx';
import * as numbers from './format-number.ts';
import * as times from './format-time.ts';

/** Every format, bound to the interface's language: `const { usd, count } = useFormats()`. */
export function useFormats() {
  const { language } = useLanguage();
  return useMemo(
    () => ({
      count: (value: number) => numbers.formatCount(value, language),
      compact: (value: number) => numbers.formatCompact(value, language),
      percent: (ratio: number) => numbers.formatPercent(ratio, language),
      usd: (usd: number) => numbers.formatUsd(usd, language),
      usdColumn: (usd: number, decimals?: number) => numbers.formatUsdColumn(usd, language, decimals),
      duration: (milliseconds: number) => numbers.formatDuration(milliseconds, language),
      bytes: (bytes: number) => numbers.formatBytes(bytes, language),
      dateTime: (time: string | number | Date, timeZone?: string) =>
        times.formatDateTime(time, language, timeZone),
      date: (time: string | number | Date, timeZone?: string) => times.formatDate(time, language, timeZone),
      day: (time: string | number | Date, timeZone?: string) => times.formatDay(time, language, timeZone),
      clock: (time: string | number | Date, timeZone?: string) => times.formatClock(time, language, timeZone),
      relative: (time: string | number | Date, nowMs = Date.now()) =>
        times.formatRelative(time, nowMs, language),
    }),
    [language],
  );
}
