/** Stacked bars over time: the figure's frame at once, the drawing when its script is loaded, and the same as a table. */
import { BarChart3, Table2 } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useMessages } from '../i18n/language-context.tsx';
import { IconButton } from './button.tsx';
import { componentMessages } from './component-messages.ts';
import { DataTable } from './data-table.tsx';
import { seriesColors } from './series-colors.ts';
import { Skeleton } from './states.tsx';

export interface ChartSeries {
  readonly id: string;
  readonly label: string;
  /** One value per step. */
  readonly values: readonly number[];
}

export interface SeriesChartProps {
  /** What is shown, read aloud and above the table. */
  readonly label: string;
  readonly stepLabel: string;
  readonly steps: readonly string[];
  /** The largest first; it stands at the bottom. */
  readonly series: readonly ChartSeries[];
  /** Writes a step for a person: a day, an hour. */
  formatStep(step: string): string;
  format(value: number): string;
  /** As `format`, shorter, for the axis. */
  formatAxis(value: number): string;
}

const Bars = lazy(async () => ({ default: (await import('./series-bars.tsx')).SeriesBars }));

export function SeriesChart(props: SeriesChartProps) {
  const t = useMessages(componentMessages);
  const [isTable, setIsTable] = useState(false);
  const isEmpty = props.series.every(({ values }) => values.every((value) => value === 0));
  const toggle = isTable ? t('showChart') : t('showTable');
  return (
    <figure className="min-w-0">
      <figcaption className="flex flex-wrap items-center gap-x-4 gap-y-1 pb-3">
        <Legend series={props.series} />
        <span className="ml-auto">
          <IconButton label={toggle} size="sm" onClick={() => setIsTable(!isTable)}>
            {isTable ? <BarChart3 size={14} aria-hidden /> : <Table2 size={14} aria-hidden />}
          </IconButton>
        </span>
      </figcaption>
      {isTable ? (
        <SeriesTable {...props} />
      ) : (
        <div className="relative h-64" role="img" aria-label={props.label}>
          {isEmpty && (
            <p className="absolute inset-0 z-[1] flex items-center justify-center text-sm text-faint">
              {t('chartEmpty')}
            </p>
          )}
          <Suspense fallback={<Skeleton className="h-full w-full" />}>
            <Bars {...props} />
          </Suspense>
        </div>
      )}
    </figure>
  );
}

function Legend({ series }: Pick<SeriesChartProps, 'series'>) {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
      {series.map(({ id, label }, index) => (
        <li key={id} className="flex items-center gap-1.5">
          <span aria-hidden className="size-2 rounded-sm" style={{ background: seriesColors[index] }} />
          {label}
        </li>
      ))}
    </ul>
  );
}

function SeriesTable({ label, stepLabel, steps, series, formatStep, format }: SeriesChartProps) {
  // The newest first, as in every other table.
  const rows = steps.map((step, index) => ({ step, index })).toReversed();
  return (
    <DataTable
      label={label}
      rows={rows}
      rowKey={({ step }) => step}
      rowHeight={32}
      maxHeight="16rem"
      columns={[
        { id: 'step', header: stepLabel, cell: ({ step }) => formatStep(step) },
        ...series.map(({ id, label: header, values }) => ({
          id,
          header,
          align: 'right' as const,
          cell: ({ index }: { readonly step: string; readonly index: number }) => format(values[index] ?? 0),
        })),
      ]}
    />
  );
}
