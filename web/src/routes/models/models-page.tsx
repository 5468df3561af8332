import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { modelsQuery } from '../../api/models.ts';
import type { Model } from '../../api/wire-types.ts';
import { Card } from '../../components/card.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Page } from '../../components/page.tsx';
import { ErrorState, SkeletonRows } from '../../components/states.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { modelsMessages } from './models-messages.ts';
import { type PriceUnit, priceOf } from './price-of.ts';

/** The catalogue. */
export function ModelsPage() {
  const t = useMessages(modelsMessages);
  const { count, usd } = useFormats();
  const navigate = useNavigate();
  const models = useQuery(modelsQuery);
  const price = (unit: PriceUnit) => (model: Model) => {
    const value = priceOf(model, unit);
    return value === undefined ? '–' : usd(value);
  };
  const columns: readonly Column<Model>[] = [
    {
      id: 'model',
      header: t('model'),
      cell: ({ id }) => <span className="font-medium">{id}</span>,
      isWideOnPhone: true,
    },
    {
      id: 'weights',
      header: t('answeredBy'),
      isHiddenOnPhone: true,
      cell: ({ backing }) => <span className="text-muted">{backing.weights}</span>,
    },
    { id: 'window', header: t('window'), align: 'right', cell: (model) => count(model.context_length) },
    { id: 'input', header: t('input'), align: 'right', isHiddenOnPhone: true, cell: price('input_tokens') },
    {
      id: 'cached',
      header: t('cached'),
      align: 'right',
      isHiddenOnPhone: true,
      cell: price('cached_input_tokens'),
    },
    {
      id: 'output',
      header: t('output'),
      align: 'right',
      isHiddenOnPhone: true,
      cell: price('output_tokens'),
    },
  ];
  return (
    <Page title={t('title')} description={`${t('text')} ${t('perMillion')}`}>
      <Card isFlush>
        {models.isPending && <SkeletonRows count={3} />}
        {models.isError && <ErrorState error={models.error} onRetry={() => void models.refetch()} />}
        {models.data !== undefined && (
          <DataTable
            label={t('title')}
            columns={columns}
            rows={models.data}
            rowKey={({ id }) => id}
            onRowOpen={({ id }) => void navigate({ to: '/models/$', params: { _splat: id } })}
          />
        )}
      </Card>
    </Page>
  );
}
