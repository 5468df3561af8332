import { useFormats } from '../../formats/use-formats.ts';
import type { UsageMetric } from './usage-series.ts';

/** How a metric's values are written, in full and for an axis. */
export function useMetricFormats(metric: UsageMetric): {
  format(value: number): string;
  formatAxis(value: number): string;
} {
  const { usd, count, compact } = useFormats();
  return metric === 'spend' ? { format: usd, formatAxis: usd } : { format: count, formatAxis: compact };
}
