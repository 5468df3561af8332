/** What all keys of an account have used, as a series of days or hours: what the dashboard's charts are made of. */
import type { Store } from '../store/store.ts';
import { readUsageSums, type TimeSpan, type UsageSums } from './read-usage-sums.ts';
import { splitDays } from './time-zone.ts';
import { addUp, type UsageTotals } from './usage-reports.ts';

export interface UsageSeriesQuery extends TimeSpan {
  /** `hour`: at most 160 of them, whole hours of UTC. */
  readonly step: 'day' | 'hour';
  /** A canonical IANA name; whose days are meant. */
  readonly timeZone: string;
}

export interface UsagePoint extends UsageTotals {
  /** `2026-07-21`, or the hour's first moment as `2026-07-21T14:00:00.000Z`. */
  readonly step: string;
  readonly modelId: string;
  readonly keyId: number;
}

export interface UsageSeries {
  /** Every day or hour of the window in order, also those without requests. */
  readonly steps: readonly string[];
  /** In the order of the steps; a key and model without requests in a step have no point. */
  readonly points: readonly UsagePoint[];
  readonly total: UsageTotals;
}

/** The longest series of hours that one question may ask for. */
export const hoursMax = 160;
const hourMs = 3_600_000;

export async function readUsageSeries(
  store: Store,
  accountId: number,
  query: UsageSeriesQuery,
): Promise<UsageSeries> {
  const spans = query.step === 'day' ? listDays(query) : listHours(query);
  const rows = await readUsageSums(store, { accountId }, spans);
  return {
    steps: spans.map(({ step }) => step),
    points: rows.toSorted((a, b) => a.span - b.span).map((row) => toPoint(row, spans[row.span]?.step ?? '')),
    total: addUp(rows),
  };
}

interface Step extends TimeSpan {
  readonly step: string;
}

function listDays({ from, to, timeZone }: UsageSeriesQuery): readonly Step[] {
  return splitDays(from, to, timeZone).map(({ day, ...span }) => ({ step: day, ...span }));
}

function listHours({ from, to }: UsageSeriesQuery): readonly Step[] {
  const steps: Step[] = [];
  for (let start = from; start < to && steps.length < hoursMax; ) {
    const hour = Math.floor(start / hourMs) * hourMs;
    const end = Math.min(to, hour + hourMs);
    steps.push({ step: new Date(hour).toISOString(), from: start, to: end });
    start = end;
  }
  return steps;
}

function toPoint({ span: _, ...row }: UsageSums, step: string): UsagePoint {
  return { step, ...row };
}
