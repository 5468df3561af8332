import { useQuery } from '@tanstack/react-query';
import { type AdminEngine, type EngineStat, type EngineState, enginesQuery } from '../../api/admin.ts';
import { Badge, type Tone } from '../../components/badge.tsx';
import { Card } from '../../components/card.tsx';
import { Page } from '../../components/page.tsx';
import { ErrorState, SkeletonRows } from '../../components/states.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { operationsMessages } from './operations-messages.ts';

const tones = { ready: 'success', loading: 'warning', failed: 'danger' } as const satisfies Record<
  EngineState,
  Tone
>;

export function EngineBadge({ state }: { readonly state: EngineState }) {
  const t = useMessages(operationsMessages);
  return <Badge tone={tones[state]}>{t(state)}</Badge>;
}

export function EnginesPage() {
  const t = useMessages(operationsMessages);
  const engines = useQuery(enginesQuery);
  return (
    <Page title={t('enginesTitle')} description={t('enginesText')}>
      {engines.isError && engines.data === undefined ? (
        <Card>
          <ErrorState error={engines.error} onRetry={() => void engines.refetch()} />
        </Card>
      ) : engines.data === undefined ? (
        <Card isFlush>
          <SkeletonRows count={4} />
        </Card>
      ) : (
        engines.data.map((engine) => <EngineCard key={engine.id} engine={engine} />)
      )}
    </Page>
  );
}

const shownStats: readonly EngineStat[] = [
  'running',
  'waiting',
  'waiting_max',
  'kv_cells_used',
  'kv_cells_total',
  'prompt_tokens_per_second',
  'output_tokens_per_second',
];

function EngineCard({ engine }: { readonly engine: AdminEngine }) {
  const t = useMessages(operationsMessages);
  const { count } = useFormats();
  const stats = shownStats.flatMap((name) => {
    const value = engine.stats?.[name] ?? null;
    return value === null ? [] : [{ name, value }];
  });
  return (
    <Card
      title={engine.id}
      description={`${engine.kind} · ${t('serves')} ${engine.models.join(', ')}`}
      actions={<EngineBadge state={engine.state} />}
    >
      {engine.detail !== '' && <p className="mb-3 text-sm text-muted">{engine.detail}</p>}
      {stats.length === 0 ? (
        <p className="text-sm text-faint">{t('noStats')}</p>
      ) : (
        <dl className="grid grid-cols-2 gap-x-6 gap-y-3 sm:grid-cols-3 lg:grid-cols-4">
          {stats.map(({ name, value }) => (
            <div key={name}>
              <dt className="text-xs text-faint">{t(name)}</dt>
              <dd className="numeric text-lg font-semibold">{count(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Card>
  );
}
