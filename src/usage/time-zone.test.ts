import { describe, expect, it } from 'vitest';
import { isCanonicalTimeZone, splitDays } from './time-zone.ts';

const hourMs = 3_600_000;

function days(from: string, to: string, timeZone: string): readonly string[] {
  return splitDays(Date.parse(from), Date.parse(to), timeZone).map(
    (day) => `${day.day} ${new Date(day.from).toISOString()} ${(day.to - day.from) / hourMs} h`,
  );
}

describe('a canonical time zone', () => {
  it.each([
    'UTC',
    'Asia/Kolkata',
    'Europe/Berlin',
    'Europe/Kyiv',
    'America/Argentina/Buenos_Aires',
    'America/Nuuk',
  ])('is %s', (name) => expect(isCanonicalTimeZone(name)).toBe(true));

  it.each([
    'utc',
    'asia/kolkata',
    'Asia/Calcutta',
    'Europe/Kiev',
    '+05:30',
    'EST',
    'US/Eastern',
    'GMT',
    '',
    'Mars/Base',
  ])('is not %s', (name) => expect(isCanonicalTimeZone(name)).toBe(false));

  it('is every one that the runtime knows, by exactly one name', () => {
    const formats = new Set(
      Intl.supportedValuesOf('timeZone').map(
        (zone) => new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone,
      ),
    );
    expect(formats.size).toBeGreaterThan(400);
    for (const zone of formats) expect([zone, splitDays(0, 1, zone).length]).toEqual([zone, 1]);
  });
});

describe('the days of a window', () => {
  it('in UTC are cut at midnight, the first and the last as far as the window reaches', () => {
    expect(days('2028-02-28T18:00:00Z', '2028-03-01T06:00:00Z', 'UTC')).toEqual([
      '2028-02-28 2028-02-28T18:00:00.000Z 6 h',
      '2028-02-29 2028-02-29T00:00:00.000Z 24 h',
      '2028-03-01 2028-03-01T00:00:00.000Z 6 h',
    ]);
  });

  it('in Asia/Kolkata begin at 18:30 UTC', () => {
    expect(days('2026-07-01T18:29:00Z', '2026-07-02T18:31:00Z', 'Asia/Kolkata')).toEqual([
      `2026-07-01 2026-07-01T18:29:00.000Z ${1 / 60} h`,
      '2026-07-02 2026-07-01T18:30:00.000Z 24 h',
      `2026-07-03 2026-07-02T18:30:00.000Z ${1 / 60} h`,
    ]);
  });

  it('have 23 and 25 hours where clocks change', () => {
    expect(days('2026-03-28T23:00:00Z', '2026-03-30T22:00:00Z', 'Europe/Berlin')).toEqual([
      '2026-03-29 2026-03-28T23:00:00.000Z 23 h',
      '2026-03-30 2026-03-29T22:00:00.000Z 24 h',
    ]);
    expect(days('2026-10-24T22:00:00Z', '2026-10-26T23:00:00Z', 'Europe/Berlin')).toEqual([
      '2026-10-25 2026-10-24T22:00:00.000Z 25 h',
      '2026-10-26 2026-10-25T23:00:00.000Z 24 h',
    ]);
  });

  it('begin at 01:00 where midnight is skipped', () => {
    expect(days('2026-04-22T22:00:00Z', '2026-04-25T21:00:00Z', 'Africa/Cairo')).toEqual([
      '2026-04-23 2026-04-22T22:00:00.000Z 24 h',
      '2026-04-24 2026-04-23T22:00:00.000Z 23 h',
      '2026-04-25 2026-04-24T21:00:00.000Z 24 h',
    ]);
  });

  it('leave out the day that Samoa left out', () => {
    expect(days('2011-12-29T10:00:00Z', '2011-12-31T10:00:00Z', 'Pacific/Apia')).toEqual([
      '2011-12-29 2011-12-29T10:00:00.000Z 24 h',
      '2011-12-31 2011-12-30T10:00:00.000Z 24 h',
    ]);
  });

  it('are none in an empty window', () => {
    expect(days('2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'UTC')).toEqual([]);
  });

  it('fill the window without gaps, in every zone', () => {
    const from = Date.UTC(2026, 0, 5, 3, 7);
    const to = from + 92 * 24 * hourMs;
    for (const zone of [
      'UTC',
      'Asia/Kathmandu',
      'America/New_York',
      'Australia/Lord_Howe',
      'Pacific/Chatham',
    ]) {
      const parts = splitDays(from, to, zone);
      expect([zone, parts.length]).toEqual([zone, 93]);
      expect(parts.map((part) => part.from)).toEqual([from, ...parts.slice(0, -1).map((part) => part.to)]);
      expect(parts.at(-1)?.to).toBe(to);
    }
  });
});
