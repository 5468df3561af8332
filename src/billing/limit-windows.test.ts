import { describe, expect, it } from 'vitest';
import { findWindowStarts } from './limit-windows.ts';

const at = (iso: string) => Date.parse(iso);

describe('limit windows', () => {
  it.each([
    // A Monday's first millisecond, and the last one before it.
    ['2026-11-23T00:00:00.000Z', '2026-11-23', '2026-11-23', '2026-11-01'],
    ['2026-11-22T23:59:59.999Z', '2026-11-22', '2026-11-16', '2026-11-01'],
    // A week that spans a turn of the year.
    ['2026-01-01T12:00:00.000Z', '2026-01-01', '2025-12-29', '2026-01-01'],
    // A leap day, and the month's end after it.
    ['2028-02-29T23:59:59.999Z', '2028-02-29', '2028-02-28', '2028-02-01'],
    ['2028-03-01T00:00:00.000Z', '2028-03-01', '2028-02-28', '2028-03-01'],
  ])('at %s begin on %s, %s and %s', (moment, day, week, month) => {
    expect(findWindowStarts(at(moment))).toEqual({ day: at(day), week: at(week), month: at(month) });
  });
});
