/** Points in time as the language writes them, in the browser's time zone unless another is given. */
import type { Language } from '../i18n/messages.ts';

const locale = (language: Language): string => (language === 'zh' ? 'zh-CN' : 'en');

/** `23 Nov 2026, 14:05:09`: the second matters in logs and ledgers. */
export function formatDateTime(time: string | number | Date, language: Language, timeZone?: string): string {
  return new Intl.DateTimeFormat(locale(language), {
    dateStyle: 'medium',
    timeStyle: 'medium',
    hourCycle: 'h23',
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(new Date(time));
}

/** `23 Nov 2026`. */
export function formatDate(time: string | number | Date, language: Language, timeZone?: string): string {
  return new Intl.DateTimeFormat(locale(language), {
    dateStyle: 'medium',
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(new Date(time));
}

/** `23 Nov`, for the axis of a chart. */
export function formatDay(time: string | number | Date, language: Language, timeZone?: string): string {
  return new Intl.DateTimeFormat(locale(language), {
    month: 'short',
    day: 'numeric',
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(new Date(time));
}

/** `14:05`, for the axis of a chart. */
export function formatClock(time: string | number | Date, language: Language, timeZone?: string): string {
  return new Intl.DateTimeFormat(locale(language), {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(new Date(time));
}

const relativeSteps = [
  { unit: 'second', seconds: 1, upTo: 60 },
  { unit: 'minute', seconds: 60, upTo: 3_600 },
  { unit: 'hour', seconds: 3_600, upTo: 86_400 },
  { unit: 'day', seconds: 86_400, upTo: 30 * 86_400 },
  { unit: 'month', seconds: 30 * 86_400, upTo: 365 * 86_400 },
  { unit: 'year', seconds: 365 * 86_400, upTo: Number.POSITIVE_INFINITY },
] as const;

/** `3 minutes ago`, `in 2 days`; `nowMs` is passed in so that a list agrees with itself. */
export function formatRelative(time: string | number | Date, nowMs: number, language: Language): string {
  const seconds = (new Date(time).getTime() - nowMs) / 1_000;
  const step = relativeSteps.find(({ upTo }) => Math.abs(seconds) < upTo) ?? relativeSteps[0];
  return new Intl.RelativeTimeFormat(locale(language), { numeric: 'auto' }).format(
    Math.trunc(seconds / step.seconds),
    step.unit,
  );
}
