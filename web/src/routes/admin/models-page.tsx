import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type AdminModel, type ModelPrice, modelsQuery, pricesQuery } from '../../api/admin.ts';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Page } from '../../components/page.tsx';
import { ErrorState, SkeletonRows } from '../../components/states.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { EngineBadge } from './engines-page.tsx';
import { operationsMessages } from './operations-messages.ts';
import { PriceDialog } from './price-dialog.tsx';

export function ModelsPage() {
  const t = useMessages(operationsMessages);
  const models = useQuery(modelsQuery);
  const prices = useQuery(pricesQuery);
  const [priced, setPriced] = useState<string>();
  const failed = models.isError ? models : prices.isError ? prices : undefined;
  return (
    <Page title={t('modelsTitle')} description={t('modelsText')}>
      {failed !== undefined ? (
        <Card>
          <ErrorState error={failed.error} onRetry={() => void failed.refetch()} />
        </Card>
      ) : models.data === undefined || prices.data === undefined ? (
        <Card isFlush>
          <SkeletonRows count={4} />
        </Card>
      ) : (
        models.data.map((model) => (
          <ModelCard
            key={model.id}
            model={model}
            price={priceOf(prices.data, model.id)}
            onPrice={() => setPriced(model.id)}
          />
        ))
      )}
      {priced !== undefined && (
        <PriceDialog
          model={priced}
          current={priceOf(prices.data ?? [], priced)?.current ?? undefined}
          onClose={() => setPriced(undefined)}
        />
      )}
    </Page>
  );
}

/** Undefined where there is none yet: the model is free. */
const priceOf = (prices: readonly ModelPrice[], model: string): ModelPrice | undefined =>
  prices.find((price) => price.model === model);

function ModelCard({
  model,
  price,
  onPrice,
}: {
  readonly model: AdminModel;
  readonly price: ModelPrice | undefined;
  onPrice(): void;
}) {
  const t = useMessages(operationsMessages);
  const { usd, count } = useFormats();
  return (
    <Card
      title={model.id}
      description={model.aliases.join(', ')}
      actions={
        <span className="flex items-center gap-2">
          <EngineBadge state={model.state} />
          <Button size="sm" onClick={onPrice}>
            {t('setPrice')}
          </Button>
        </span>
      }
    >
      {model.detail !== '' && <p className="mb-3 text-sm text-muted">{model.detail}</p>}
      <dl className="grid grid-cols-2 gap-x-6 gap-y-3 text-sm md:grid-cols-[2fr_1fr_1fr_1fr_1fr]">
        <Detail name={t('backing')} value={model.backing?.weights ?? '–'} />
        <Detail
          name={t('window')}
          value={model.backing === null ? '–' : t('windowValue', { count: model.backing.context_tokens })}
        />
        {price?.current == null ? (
          <Detail name={t('price')} value={t('free')} />
        ) : (
          <>
            <Detail name={t('input')} value={usd(price.current.input_usd)} />
            <Detail name={t('cached')} value={usd(price.current.cached_input_usd)} />
            <Detail name={t('output')} value={usd(price.current.output_usd)} />
          </>
        )}
      </dl>
      {price !== undefined && price.history.length > 1 && (
        <details className="mt-4 text-sm">
          <summary className="text-xs text-muted hover:text-text">
            {t('history')} ({count(price.history.length)})
          </summary>
          <PriceHistory price={price} />
        </details>
      )}
    </Card>
  );
}

function Detail({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-faint">{name}</dt>
      <dd className="numeric truncate" title={value}>
        {value}
      </dd>
    </div>
  );
}

function PriceHistory({ price }: { readonly price: ModelPrice }) {
  const t = useMessages(operationsMessages);
  const { usd, dateTime } = useFormats();
  return (
    <DataTable
      label={t('history')}
      rows={price.history}
      rowKey={({ version }) => String(version)}
      maxHeight="20rem"
      columns={[
        { id: 'version', header: t('version'), cell: (row) => row.version },
        { id: 'since', header: t('since'), cell: (row) => dateTime(row.created_at) },
        { id: 'input', header: t('input'), align: 'right', cell: (row) => usd(row.input_usd) },
        { id: 'cached', header: t('cached'), align: 'right', cell: (row) => usd(row.cached_input_usd) },
        { id: 'output', header: t('output'), align: 'right', cell: (row) => usd(row.output_usd) },
      ]}
    />
  );
}
