/** The drawing of `series-chart.tsx`, in a script of its own because Recharts is large. */
import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import type { SeriesChartProps } from './series-chart.tsx';
import { seriesColors } from './series-colors.ts';

type ChartRow = Readonly<Record<string, string | number>>;

const tick = { fill: 'var(--faint)', fontSize: 11 };

export function SeriesBars({ steps, series, formatStep, format, formatAxis }: SeriesChartProps) {
  // Series are named by position: a model's name may hold dots, which Recharts reads as paths.
  const rows: ChartRow[] = steps.map((step, index) => ({
    step,
    ...Object.fromEntries(series.map(({ values }, position) => [`s${position}`, values[index] ?? 0])),
  }));
  return (
    <ResponsiveContainer width="100%" height="100%">
      <BarChart data={rows} margin={{ top: 4, right: 4, bottom: 0, left: 0 }} accessibilityLayer={false}>
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <XAxis
          dataKey="step"
          tickFormatter={formatStep}
          tick={tick}
          tickLine={false}
          axisLine={{ stroke: 'var(--line-strong)' }}
          minTickGap={28}
        />
        <YAxis tickFormatter={formatAxis} tick={tick} tickLine={false} axisLine={false} width="auto" />
        <Tooltip
          isAnimationActive={false}
          cursor={{ fill: 'var(--hover)' }}
          content={({ active, payload, label }) =>
            active === true && typeof label === 'string' ? (
              <StepDetail
                title={formatStep(label)}
                lines={payload
                  .map(({ dataKey, value }) => ({
                    position: Number(String(dataKey).slice(1)),
                    value: Number(value),
                  }))
                  .filter(({ value }) => value > 0)
                  .map(({ position, value }) => ({
                    label: series[position]?.label ?? '',
                    color: seriesColors[position],
                    text: format(value),
                  }))}
              />
            ) : null
          }
        />
        {series.map(({ id, label }, position) => (
          <Bar
            key={id}
            dataKey={`s${position}`}
            name={label}
            stackId="all"
            fill={seriesColors[position] ?? 'var(--series-6)'}
            isAnimationActive={false}
            maxBarSize={36}
          />
        ))}
      </BarChart>
    </ResponsiveContainer>
  );
}

interface DetailLine {
  readonly label: string;
  readonly color: string | undefined;
  readonly text: string;
}

function StepDetail({ title, lines }: { readonly title: string; readonly lines: readonly DetailLine[] }) {
  return (
    <div className="rounded-md border border-line bg-raised px-3 py-2 text-xs shadow-lg">
      <p className="mb-1 font-medium text-text">{title}</p>
      {lines.map(({ label, color, text }) => (
        <p key={label} className="flex items-center justify-between gap-6 text-muted">
          <span className="flex items-center gap-1.5">
            <span aria-hidden className="size-2 rounded-sm" style={{ background: color }} />
            {label}
          </span>
          <span className="numeric text-text">{text}</span>
        </p>
      ))}
    </div>
  );
}
