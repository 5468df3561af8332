import { useQuery } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useMemo, useState } from 'react';
import { ownTimeZone, type UsagePoint, type UsageSeries, usageQuery } from '../../api/activity.ts';
import { keysQuery } from '../../api/keys.ts';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { componentMessages } from '../../components/component-messages.ts';
import { DataTable } from '../../components/data-table.tsx';
import { Page } from '../../components/page.tsx';
import { Segments } from '../../components/segments.tsx';
import { Select } from '../../components/select.tsx';
import { SeriesChart } from '../../components/series-chart.tsx';
import { seriesMax } from '../../components/series-colors.ts';
import { ErrorState, Skeleton } from '../../components/states.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { saveFile } from '../../save-file.ts';
import { encodeUsageCsv } from './usage-csv.ts';
import { usageMessages } from './usage-messages.ts';
import {
  cacheHitRatio,
  measure,
  shortModelName,
  stackSeries,
  type UsageMetric,
  type UsageSplit,
  usageMetrics,
} from './usage-series.ts';
import { useMetricFormats } from './use-metric-formats.ts';

const periods = ['24h', '7d', '30d', '92d'] as const;
type Period = (typeof periods)[number];
const zones = [...new Set([ownTimeZone(), 'UTC'])];

export function UsagePage() {
  const t = useMessages(usageMessages);
  const [period, setPeriod] = useState<Period>('30d');
  const [timeZone, setTimeZone] = useState(ownTimeZone());
  const [metric, setMetric] = useState<UsageMetric>('spend');
  const [split, setSplit] = useState<UsageSplit>('model');
  const step = period === '24h' ? 'hour' : 'day';
  const usage = useQuery(usageQuery({ window: { period }, step, timeZone }));
  const exportCsv = (): void => {
    if (usage.data === undefined) return;
    saveFile(`${t('exported')}-${period}.csv`, 'text/csv;charset=utf-8', encodeUsageCsv(usage.data.points));
  };
  return (
    <Page
      title={t('title')}
      description={t('description')}
      actions={
        <Button
          icon={<Download size={14} aria-hidden />}
          disabled={usage.data === undefined}
          onClick={exportCsv}
        >
          {t('export')}
        </Button>
      }
    >
      <div className="flex flex-wrap items-end gap-2">
        <Select
          label={t('period')}
          isLabelHidden
          size="sm"
          className="w-40"
          value={period}
          onChange={setPeriod}
          options={periods.map((value) => ({ value, label: t(`period${value}`) }))}
        />
        <Select
          label={t('zone')}
          isLabelHidden
          size="sm"
          className="w-44"
          value={timeZone}
          onChange={setTimeZone}
          options={zones.map((value) => ({ value, label: value }))}
        />
        <Segments
          label={t('metric')}
          value={metric}
          onChange={setMetric}
          options={usageMetrics.map((value) => ({ value, label: t(value) }))}
        />
        <Segments
          label={t('split')}
          value={split}
          onChange={setSplit}
          options={[
            { value: 'model', label: t('byModel') },
            { value: 'key', label: t('byKey') },
          ]}
        />
      </div>
      {usage.isError ? (
        <Card>
          <ErrorState error={usage.error} onRetry={() => void usage.refetch()} />
        </Card>
      ) : (
        <>
          <UsageChart usage={usage.data} metric={metric} split={split} step={step} timeZone={timeZone} />
          <Breakdown usage={usage.data} split={split} />
        </>
      )}
    </Page>
  );
}

/** What a model or a key is called. */
function useGroupNames(split: UsageSplit): (id: string) => string {
  const t = useMessages(usageMessages);
  const keys = useQuery(keysQuery).data;
  return useMemo(() => {
    if (split === 'model') return shortModelName;
    const names = new Map(keys?.map(({ prefix, name }) => [prefix, name ?? `${prefix}…`]));
    // The playground's own key is in no list.
    return (prefix) => names.get(prefix) ?? (keys === undefined ? prefix : `${t('playground')} (${prefix})`);
  }, [split, keys, t]);
}

interface UsageViewProps {
  readonly usage: UsageSeries | undefined;
  readonly split: UsageSplit;
}

function UsageChart({
  usage,
  metric,
  split,
  step,
  timeZone,
}: UsageViewProps & {
  readonly metric: UsageMetric;
  readonly step: 'day' | 'hour';
  readonly timeZone: string;
}) {
  const t = useMessages(usageMessages);
  const tc = useMessages(componentMessages);
  const { day, clock } = useFormats();
  const { format, formatAxis } = useMetricFormats(metric);
  const labelOf = useGroupNames(split);
  if (usage === undefined) return <Skeleton className="h-84 w-full" />;
  const total = usage.points.reduce((sum, point) => sum + measure(point, metric), 0);
  return (
    <Card>
      <p className="text-xs text-faint">
        {t('total')} · {t(metric)}
      </p>
      <p className="numeric mb-3 text-2xl font-semibold tracking-tight">{format(total)}</p>
      <SeriesChart
        label={t(metric)}
        stepLabel={step === 'hour' ? t('hour') : t('day')}
        steps={usage.steps}
        series={stackSeries(usage, { metric, split, labelOf, othersLabel: tc('others'), seriesMax })}
        formatStep={(at) => (step === 'hour' ? clock(at, timeZone) : day(`${at}T12:00:00Z`, 'UTC'))}
        format={format}
        formatAxis={formatAxis}
      />
    </Card>
  );
}

interface BreakdownRow {
  readonly id: string;
  readonly spend: number;
  readonly requests: number;
  readonly failed: number;
  readonly tokens: UsagePoint['tokens'];
}

function sumGroups(usage: UsageSeries, split: UsageSplit): readonly BreakdownRow[] {
  const groups = Map.groupBy(usage.points, (point) => (split === 'model' ? point.model : point.key_prefix));
  const sum = (points: readonly UsagePoint[], pick: (point: UsagePoint) => number): number =>
    points.reduce((total, point) => total + pick(point), 0);
  return [...groups]
    .map(([id, points]) => ({
      id,
      spend: sum(points, ({ spend }) => spend),
      requests: sum(points, (point) => measure(point, 'requests')),
      failed: sum(points, (point) => measure(point, 'errors')),
      tokens: {
        input: sum(points, ({ tokens }) => tokens.input),
        cached: sum(points, ({ tokens }) => tokens.cached),
        output: sum(points, ({ tokens }) => tokens.output),
      },
    }))
    .toSorted((a, b) => b.spend - a.spend || b.requests - a.requests);
}

function Breakdown({ usage, split }: UsageViewProps) {
  const t = useMessages(usageMessages);
  const { count, percent, usdColumn } = useFormats();
  const labelOf = useGroupNames(split);
  if (usage === undefined) return null;
  const rows = sumGroups(usage, split);
  return (
    <Card title={t('breakdown')} isFlush>
      {rows.length === 0 ? (
        <p className="px-4 py-6 text-center text-sm text-muted">{t('none')}</p>
      ) : (
        <DataTable
          label={t('breakdown')}
          rows={rows}
          rowKey={({ id }) => id}
          columns={[
            {
              id: 'name',
              header: split === 'model' ? t('byModel') : t('byKey'),
              cell: ({ id }) => labelOf(id),
            },
            { id: 'requests', header: t('requests'), align: 'right', cell: (row) => count(row.requests) },
            { id: 'failed', header: t('failed'), align: 'right', cell: (row) => count(row.failed) },
            { id: 'input', header: t('input'), align: 'right', cell: (row) => count(row.tokens.input) },
            {
              id: 'hits',
              header: t('hits'),
              align: 'right',
              isHiddenOnPhone: true,
              cell: (row) => percent(cacheHitRatio(row) ?? 0),
            },
            { id: 'output', header: t('output'), align: 'right', cell: (row) => count(row.tokens.output) },
            { id: 'spend', header: t('spend'), align: 'right', cell: (row) => usdColumn(row.spend) },
          ]}
        />
      )}
    </Card>
  );
}
