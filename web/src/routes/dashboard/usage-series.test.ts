import { describe, expect, it } from 'vitest';
import type { UsagePoint, UsageSeries } from '../../api/activity.ts';
import { cacheHitRatio, errorRate, measure, stackSeries } from './usage-series.ts';

const point = (step: string, model: string, spend: number): UsagePoint => ({
  step,
  model,
  key_prefix: 'abcdefgh',
  spend,
  tokens: { input: 100, cached: 25, output: 20 },
  requests: { succeeded: 3, failed: 1, charged: 3 },
});

const usage = (points: readonly UsagePoint[]): UsageSeries => ({
  start: '2026-07-20T00:00:00.000Z',
  end: '2026-07-23T00:00:00.000Z',
  steps: ['2026-07-20', '2026-07-21', '2026-07-22'],
  points,
  total: {
    spend: 0,
    tokens: { input: 0, cached: 0, output: 0 },
    requests: { succeeded: 0, failed: 0, charged: 0 },
  },
});

const options = {
  metric: 'spend',
  split: 'model',
  labelOf: (id: string) => id,
  othersLabel: 'Others',
} as const;

describe('the series of a chart', () => {
  it('have a value per step, the largest first, and none that are nothing', () => {
    const series = stackSeries(
      usage([
        point('2026-07-20', 'a', 1),
        point('2026-07-22', 'b', 3),
        point('2026-07-22', 'c', 0),
        point('2026-07-22', 'a', 1),
      ]),
      { ...options, seriesMax: 6 },
    );
    expect(series.map(({ id, values }) => ({ id, values }))).toEqual([
      { id: 'b', values: [0, 0, 3] },
      { id: 'a', values: [1, 0, 1] },
    ]);
  });

  it('add up what there is no colour for', () => {
    const series = stackSeries(
      usage(['a', 'b', 'c', 'd'].map((model, index) => point('2026-07-21', model, 4 - index))),
      { ...options, seriesMax: 3 },
    );
    expect(series.map(({ label, values }) => [label, values[1]])).toEqual([
      ['a', 4],
      ['b', 3],
      ['Others', 3],
    ]);
  });

  it('measure what their metric says', () => {
    const one = point('2026-07-20', 'a', 0.5);
    expect(measure(one, 'spend')).toBe(0.5);
    expect(measure(one, 'requests')).toBe(4);
    expect(measure(one, 'tokens')).toBe(120);
    expect(measure(one, 'errors')).toBe(1);
    expect(errorRate(one)).toBe(0.25);
    expect(cacheHitRatio(one)).toBe(0.25);
    expect(errorRate({ requests: { succeeded: 0, failed: 0, charged: 0 } })).toBeUndefined();
  });
});
