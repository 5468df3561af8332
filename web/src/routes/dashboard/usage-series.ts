/** Turns the points of `GET /api/usage` into what a chart draws. */
import type { UsagePoint, UsageSeries } from '../../api/activity.ts';
import type { ChartSeries } from '../../components/series-chart.tsx';

export const usageMetrics = ['spend', 'requests', 'tokens', 'errors'] as const;
export type UsageMetric = (typeof usageMetrics)[number];

export const usageSplits = ['model', 'key'] as const;
export type UsageSplit = (typeof usageSplits)[number];

/** One point's share in a metric: US dollars, requests, tokens or failed requests. */
export function measure(
  point: Pick<UsagePoint, 'spend' | 'requests' | 'tokens'>,
  metric: UsageMetric,
): number {
  switch (metric) {
    case 'spend':
      return point.spend;
    case 'requests':
      return point.requests.succeeded + point.requests.failed;
    case 'tokens':
      return point.tokens.input + point.tokens.output;
    case 'errors':
      return point.requests.failed;
    default:
      return metric satisfies never;
  }
}

interface StackOptions {
  readonly metric: UsageMetric;
  readonly split: UsageSplit;
  /** How a key is called; models carry their names. */
  labelOf(id: string): string;
  /** The label of what is left when there are more than `seriesMax`. */
  readonly othersLabel: string;
  readonly seriesMax: number;
}

/** At most `seriesMax` series, the largest first, the rest added up under `othersLabel`. */
export function stackSeries(usage: UsageSeries, options: StackOptions): readonly ChartSeries[] {
  const { metric, split, labelOf, othersLabel, seriesMax } = options;
  const positions = new Map(usage.steps.map((step, index) => [step, index]));
  const byId = Map.groupBy(usage.points, (point) => (split === 'model' ? point.model : point.key_prefix));
  const all = [...byId]
    .map(([id, points]) => ({
      id,
      label: labelOf(id),
      values: sumBySteps(points, positions, metric),
      total: points.reduce((sum, point) => sum + measure(point, metric), 0),
    }))
    .filter(({ total }) => total > 0)
    .toSorted((a, b) => b.total - a.total);
  if (all.length <= seriesMax) return all;
  const rest = all.slice(seriesMax - 1);
  const others = usage.steps.map((_, index) =>
    rest.reduce((sum, each) => sum + (each.values[index] ?? 0), 0),
  );
  return [...all.slice(0, seriesMax - 1), { id: '…', label: othersLabel, values: others }];
}

function sumBySteps(
  points: readonly UsagePoint[],
  positions: ReadonlyMap<string, number>,
  metric: UsageMetric,
): readonly number[] {
  const values = Array.from({ length: positions.size }, () => 0);
  for (const point of points) {
    const position = positions.get(point.step);
    if (position !== undefined) values[position] = (values[position] ?? 0) + measure(point, metric);
  }
  return values;
}

/** Failed requests among all, or undefined when there was none. */
export function errorRate({ requests }: Pick<UsagePoint, 'requests'>): number | undefined {
  const total = requests.succeeded + requests.failed;
  return total === 0 ? undefined : requests.failed / total;
}

/** Prompt tokens that were not computed again among all, or undefined when there was none. */
export function cacheHitRatio({ tokens }: Pick<UsagePoint, 'tokens'>): number | undefined {
  return tokens.input === 0 ? undefined : tokens.cached / tokens.input;
}

/** `moonshot/kimi-k2-turbo-preview` → `kimi-k2-turbo-preview`. */
export const shortModelName = (id: string): string => id.slice(id.lastIndexOf('/') + 1);
