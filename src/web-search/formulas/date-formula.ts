/** `moonshot/date`: what day it is, and how days are counted. All arithmetic is in the Gregorian calendar, UTC. */
import { z } from 'zod';
import { createFormula, type Formula, type FormulaOutcome, fail } from './formula.ts';

const dateText = z
  .string()
  .describe('ISO 8601: `2026-03-01`, or with a time and offset `2026-03-01T12:00:00+08:00`.');

const schema = z.object({
  operation: z
    .enum(['now', 'add', 'difference'])
    .describe(
      'now: the current date and time; add: `date` and `amount` of `unit`; difference: from `date` to `until`.',
    ),
  timezone: z
    .string()
    .default('UTC')
    .describe('IANA name such as `Asia/Shanghai`, for the result. Default UTC.'),
  date: dateText.optional(),
  until: dateText.optional(),
  amount: z
    .int()
    .min(-1_000_000)
    .max(1_000_000)
    .optional()
    .describe('How many units to add; negative = before.'),
  unit: z
    .enum(['minutes', 'hours', 'days', 'weeks', 'months', 'years'])
    .default('days')
    .describe('Default days.'),
});

const unitMs = { minutes: 60_000, hours: 3_600_000, days: 86_400_000, weeks: 604_800_000 } as const;

/** `now` in milliseconds since 1970. */
export function createDateFormula(now: () => number): Formula {
  return createFormula({
    name: 'moonshot/date',
    functionName: 'date',
    description:
      'Tells the current date and time in any time zone, adds to a date, or counts the days between two.',
    scope: undefined,
    mayCharge: false,
    schema,
    act({ operation, timezone, date, until, amount, unit }) {
      if (!isTimeZone(timezone))
        return fail(`\`${timezone.slice(0, 64)}\` is no time zone; use a name such as Europe/Berlin.`);
      if (operation === 'now') return tell(describeInstant(now(), timezone));
      const from = Date.parse(date ?? '');
      if (Number.isNaN(from)) return fail('`date` must be given as ISO 8601, such as 2026-03-01.');
      if (operation === 'add') {
        if (amount === undefined) return fail('`amount` must be given.');
        const sum = addTo(from, amount, unit);
        return Number.isNaN(sum) ? fail('The sum is no date.') : tell(describeInstant(sum, timezone));
      }
      const to = Date.parse(until ?? '');
      if (Number.isNaN(to)) return fail('`until` must be given as ISO 8601, such as 2026-03-01.');
      return tell(describeDifference(to - from));
    },
  });
}

const tell = (text: string): FormulaOutcome => ({
  status: 'succeeded',
  output: { isSealed: false, text },
  isCharged: false,
});

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (thrown) {
    if (thrown instanceof RangeError) return false;
    throw thrown;
  }
}

/** `Monday, 2026-03-02 08:00:00 Asia/Shanghai (GMT+08:00)`. */
function describeInstant(ms: number, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    weekday: 'long',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  });
  const part = new Map<string, string>(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const day = ['year', 'month', 'day'].map((name) => part.get(name)).join('-');
  const time = ['hour', 'minute', 'second'].map((name) => part.get(name)).join(':');
  return `${part.get('weekday')}, ${day} ${time} ${timeZone} (${part.get('timeZoneName')})`;
}

/** NaN when the result is out of range. A month that is too short ends on its last day. */
function addTo(ms: number, amount: number, unit: z.output<typeof schema>['unit']): number {
  if (unit !== 'months' && unit !== 'years') return new Date(ms + amount * unitMs[unit]).getTime();
  const months = unit === 'years' ? amount * 12 : amount;
  const date = new Date(ms);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  return date.setUTCDate(Math.min(day, lastDay));
}

function describeDifference(ms: number): string {
  const sign = ms < 0 ? 'minus ' : '';
  const minutes = Math.floor(Math.abs(ms) / unitMs.minutes);
  const days = Math.floor(minutes / 1_440);
  return `${sign}${days} days, ${Math.floor((minutes % 1_440) / 60)} hours and ${minutes % 60} minutes`;
}
