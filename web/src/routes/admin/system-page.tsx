import { useQuery } from '@tanstack/react-query';
import { type Job, type SystemHealth, systemQuery } from '../../api/admin.ts';
import { Badge, type Tone } from '../../components/badge.tsx';
import { Card } from '../../components/card.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Page } from '../../components/page.tsx';
import { Stat } from '../../components/stat.tsx';
import { ErrorState, SkeletonRows } from '../../components/states.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { operationsMessages } from './operations-messages.ts';

export function SystemPage() {
  const t = useMessages(operationsMessages);
  const system = useQuery(systemQuery);
  return (
    <Page title={t('systemTitle')} description={t('systemText')}>
      {system.isError && system.data === undefined ? (
        <Card>
          <ErrorState error={system.error} onRetry={() => void system.refetch()} />
        </Card>
      ) : system.data === undefined ? (
        <Card isFlush>
          <SkeletonRows count={6} />
        </Card>
      ) : (
        <Health system={system.data} />
      )}
    </Page>
  );
}

function Health({ system }: { readonly system: SystemHealth }) {
  const t = useMessages(operationsMessages);
  const { bytes, duration, dateTime } = useFormats();
  const { memory, disk, store, readiness } = system;
  const freeOf = (free: number, total: number): string =>
    t('freeOf', { free: bytes(free), total: bytes(total) });
  return (
    <>
      <div className="grid grid-cols-2 gap-3 lg:grid-cols-3">
        <Stat label={t('version_')} value={system.version} detail={`${t('node')} ${system.node}`} />
        <Stat
          label={t('uptime')}
          value={duration(system.uptime_seconds * 1_000)}
          detail={dateTime(system.started_at)}
        />
        <Stat
          label={t('store')}
          value={store.kind === 'sqlite' ? 'SQLite' : 'PostgreSQL'}
          detail={store.size_bytes === null ? undefined : bytes(store.size_bytes)}
        />
        <Stat
          label={t('memory')}
          value={bytes(memory.rss_bytes)}
          detail={t('heap', { size: bytes(memory.heap_bytes) })}
        />
        <Stat
          label={t('machine')}
          value={bytes(memory.machine_total_bytes - memory.machine_free_bytes)}
          detail={freeOf(memory.machine_free_bytes, memory.machine_total_bytes)}
        />
        <Stat
          label={t('disk')}
          value={bytes(disk.total_bytes - disk.free_bytes)}
          detail={freeOf(disk.free_bytes, disk.total_bytes)}
        />
      </div>
      <Card
        title={t('readiness')}
        isFlush
        actions={
          <Badge tone={readiness.is_ready ? 'success' : 'danger'}>
            {readiness.is_ready ? t('isReady') : t('notReady')}
          </Badge>
        }
      >
        <DataTable
          label={t('readiness')}
          rows={readiness.checks}
          rowKey={({ name }) => name}
          columns={[
            { id: 'name', header: t('check'), cell: (row) => row.name },
            {
              id: 'state',
              header: t('state'),
              cell: (row) => <Badge tone={readinessTones[row.state] ?? 'danger'}>{row.state}</Badge>,
            },
            { id: 'detail', header: t('detail'), cell: (row) => row.detail },
          ]}
        />
      </Card>
      <Jobs jobs={system.jobs} />
    </>
  );
}

const readinessTones: Readonly<Record<string, Tone>> = {
  ready: 'success',
  loading: 'info',
  degraded: 'warning',
};

const jobNames: Readonly<Record<string, 'jobCaches' | 'jobAnswers'>> = {
  'context caches': 'jobCaches',
  'expired answers': 'jobAnswers',
};

/** What the server does by itself, and how its last round went. */
function Jobs({ jobs }: { readonly jobs: readonly Job[] }) {
  const t = useMessages(operationsMessages);
  const { count, duration, relative } = useFormats();
  const columns: readonly Column<Job>[] = [
    {
      id: 'name',
      header: t('job'),
      cell: ({ name }) => {
        const known = jobNames[name];
        return known === undefined ? name : t(known);
      },
    },
    {
      id: 'state',
      header: t('state'),
      cell: (job) => (
        <Badge tone={job.last_failure === null ? 'success' : 'danger'}>
          {job.last_failure === null ? t('jobFine') : job.last_failure}
        </Badge>
      ),
    },
    {
      id: 'last',
      header: t('jobLast'),
      align: 'right',
      cell: (job) => (job.last_ended_at === null ? '–' : relative(job.last_ended_at)),
    },
    {
      id: 'took',
      header: t('jobTook'),
      align: 'right',
      isHiddenOnPhone: true,
      cell: (job) => (job.last_duration_ms === null ? '–' : duration(job.last_duration_ms)),
    },
    {
      id: 'interval',
      header: t('jobEvery'),
      align: 'right',
      isHiddenOnPhone: true,
      cell: (job) => duration(job.interval_seconds * 1_000),
    },
    {
      id: 'rounds',
      header: t('jobRounds'),
      align: 'right',
      isHiddenOnPhone: true,
      cell: (job) => count(job.rounds),
    },
    { id: 'failed', header: t('jobFailed'), align: 'right', cell: (job) => count(job.failed) },
  ];
  return (
    <Card title={t('jobs')} description={t('jobsText')} isFlush>
      <DataTable label={t('jobs')} rows={jobs} rowKey={({ name }) => name} columns={columns} />
    </Card>
  );
}
