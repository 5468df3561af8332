/** The first view of the dashboard: money, traffic and speed at a glance, and the way to everything else. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Activity, ArrowRight } from 'lucide-react';
import { useState } from 'react';
import { ownTimeZone, requestsQuery, speedQuery, type UsageSeries, usageQuery } from '../../api/activity.ts';
import { balanceStateQuery } from '../../api/billing.ts';
import { useUser } from '../../api/session.ts';
import { buttonClass } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { componentMessages } from '../../components/component-messages.ts';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { Segments } from '../../components/segments.tsx';
import { SeriesChart } from '../../components/series-chart.tsx';
import { seriesMax } from '../../components/series-colors.ts';
import { Stat } from '../../components/stat.tsx';
import { EmptyState, ErrorState, Skeleton, SkeletonRows } from '../../components/states.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { overviewMessages } from './overview-messages.ts';
import { RequestTable } from './request-table.tsx';
import {
  cacheHitRatio,
  errorRate,
  measure,
  shortModelName,
  stackSeries,
  type UsageMetric,
  usageMetrics,
} from './usage-series.ts';
import { useMetricFormats } from './use-metric-formats.ts';

const question = { window: { period: '30d' }, step: 'day' as const };
const recentCount = 6;

export function OverviewPage() {
  const t = useMessages(overviewMessages);
  const usage = useQuery(usageQuery({ ...question, timeZone: ownTimeZone() }));
  const balance = useQuery(balanceStateQuery);
  return (
    <Page title={t('title')} description={t('description')}>
      {balance.data?.lowBalance === true && <Notice tone="warning">{t('lowBalance')}</Notice>}
      <Figures usage={usage.data} />
      <Card title={t('activity')} description={t('activityText')}>
        {usage.isError ? (
          <ErrorState error={usage.error} onRetry={() => void usage.refetch()} />
        ) : (
          <ActivityChart usage={usage.data} />
        )}
      </Card>
      <LatestRequests />
    </Page>
  );
}

function Figures({ usage }: { readonly usage: UsageSeries | undefined }) {
  const t = useMessages(overviewMessages);
  const formats = useFormats();
  const user = useUser();
  const speed = useQuery(speedQuery).data;
  const today = usage && sumFrom(usage, usage.steps.at(-1) ?? '');
  const monthStart = usage && firstOfMonth(usage.steps.at(-1) ?? '');
  const month = usage && sumFrom(usage, monthStart ?? '');
  const rate = usage && errorRate(usage.total);
  const hits = usage && cacheHitRatio(usage.total);
  const tokensPerSecond = speed && Math.max(0, ...speed.map(({ metrics }) => metrics.tps?.p50 ?? 0));
  return (
    <div className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
      <Stat
        label={t('balance')}
        value={formats.usd(user.balance_usd)}
        detail={user.held_usd > 0 ? t('held', { amount: formats.usd(user.held_usd) }) : t('noneHeld')}
        tone={user.balance_usd <= 0 ? 'danger' : undefined}
      />
      <Stat
        label={t('spendToday')}
        value={today && formats.usd(today.spend)}
        detail={today && t('requestsToday', { count: today.requests })}
      />
      <Stat
        label={t('spendMonth')}
        value={month && formats.usd(month.spend)}
        detail={monthStart && t('since', { date: formats.date(`${monthStart}T12:00:00Z`, 'UTC') })}
      />
      <Stat
        label={t('errorRate')}
        value={usage && (rate === undefined ? '–' : formats.percent(rate))}
        detail={usage && t('errorsToday', { count: usage.total.requests.failed })}
        tone={rate !== undefined && rate > 0.05 ? 'warning' : undefined}
      />
      <Stat
        label={t('cacheHits')}
        value={usage && (hits === undefined ? '–' : formats.percent(hits))}
        detail={usage && t('cacheDetail', { tokens: formats.compact(usage.total.tokens.cached) })}
      />
      <Stat
        label={t('speed')}
        value={
          tokensPerSecond === undefined
            ? undefined
            : tokensPerSecond > 0
              ? t('speedUnit', { value: Math.round(tokensPerSecond) })
              : '–'
        }
        detail={tokensPerSecond === 0 ? t('speedNone') : t('speedDetail')}
      />
    </div>
  );
}

const firstOfMonth = (day: string): string => `${day.slice(0, 8)}01`;

/** Days are ISO dates, so their order is that of their texts. */
function sumFrom(
  usage: UsageSeries,
  firstDay: string,
): { readonly spend: number; readonly requests: number } {
  const points = usage.points.filter(({ step }) => step >= firstDay);
  return {
    spend: points.reduce((sum, { spend }) => sum + spend, 0),
    requests: points.reduce((sum, point) => sum + measure(point, 'requests'), 0),
  };
}

function ActivityChart({ usage }: { readonly usage: UsageSeries | undefined }) {
  const t = useMessages(overviewMessages);
  const tc = useMessages(componentMessages);
  const [metric, setMetric] = useState<UsageMetric>('spend');
  const { format, formatAxis } = useMetricFormats(metric);
  const formats = useFormats();
  if (usage === undefined) return <Skeleton className="h-80 w-full" />;
  const names = {
    spend: t('spend'),
    requests: t('requestsMetric'),
    tokens: t('tokens'),
    errors: t('errors'),
  };
  return (
    <div className="flex flex-col gap-3">
      <Segments
        label={t('metric')}
        value={metric}
        options={usageMetrics.map((value) => ({ value, label: names[value] }))}
        onChange={setMetric}
      />
      <SeriesChart
        label={`${t('activity')}: ${names[metric]}`}
        stepLabel={t('day')}
        steps={usage.steps}
        series={stackSeries(usage, {
          metric,
          split: 'model',
          labelOf: shortModelName,
          othersLabel: tc('others'),
          seriesMax,
        })}
        formatStep={(day) => formats.day(`${day}T12:00:00Z`, 'UTC')}
        format={format}
        formatAxis={formatAxis}
      />
    </div>
  );
}

function LatestRequests() {
  const t = useMessages(overviewMessages);
  const requests = useInfiniteQuery({ ...requestsQuery({ period: '30d' }), refetchInterval: 10_000 });
  const rows = requests.data?.pages[0]?.data.slice(0, recentCount);
  return (
    <Card
      title={t('recent')}
      isFlush
      actions={
        <Link to="/requests" className={buttonClass('ghost', 'sm')}>
          {t('all')} <ArrowRight size={14} aria-hidden />
        </Link>
      }
    >
      {requests.isError ? (
        <ErrorState error={requests.error} onRetry={() => void requests.refetch()} />
      ) : rows === undefined ? (
        <SkeletonRows count={recentCount} />
      ) : rows.length === 0 ? (
        <FirstSteps />
      ) : (
        <RequestTable label={t('recent')} rows={rows} />
      )}
    </Card>
  );
}

function FirstSteps() {
  const t = useMessages(overviewMessages);
  return (
    <EmptyState
      icon={<Activity size={18} aria-hidden />}
      title={t('emptyTitle')}
      description={t('emptyText')}
      action={
        <div className="flex flex-wrap justify-center gap-2">
          <Link to="/playground" className={buttonClass('primary')}>
            {t('openPlayground')}
          </Link>
          <Link to="/keys" className={buttonClass()}>
            {t('createKey')}
          </Link>
        </div>
      }
    />
  );
}
