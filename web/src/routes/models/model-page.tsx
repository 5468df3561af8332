import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { SquareTerminal } from 'lucide-react';
import { lazy, type ReactNode, Suspense } from 'react';
import { findModel, modelsQuery } from '../../api/models.ts';
import type { Model } from '../../api/wire-types.ts';
import { Badge } from '../../components/badge.tsx';
import { buttonClass } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { Page } from '../../components/page.tsx';
import { EmptyState, ErrorState, Skeleton, SkeletonRows } from '../../components/states.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { exampleNames } from '../docs/example-requests.ts';
import { modelsMessages } from './models-messages.ts';
import { RequestFields } from './request-fields.tsx';

const RecordedExample = lazy(async () => ({
  default: (await import('./recorded-example.tsx')).RecordedExample,
}));

/** `/models/<id>`: everything about one model of the catalogue. */
export function ModelPage() {
  const t = useMessages(modelsMessages);
  const { _splat: name } = useParams({ from: '/shell/models/$' });
  const models = useQuery(modelsQuery);
  if (models.isPending) return <SkeletonRows />;
  if (models.isError) return <ErrorState error={models.error} onRetry={() => void models.refetch()} />;
  const model = findModel(models.data, name);
  return model === undefined ? (
    <Page title={name ?? t('title')}>
      <EmptyState title={t('notFound')} />
    </Page>
  ) : (
    <ModelView model={model} />
  );
}

function ModelView({ model }: { readonly model: Model }) {
  const t = useMessages(modelsMessages);
  return (
    <Page
      title={model.id}
      description={t('overviewText')}
      width="text"
      actions={
        <>
          <Link to="/docs/reference" className={buttonClass()}>
            {t('viewReference')}
          </Link>
          <Link to="/playground" search={{ model: model.id }} className={buttonClass('primary')}>
            <SquareTerminal size={15} aria-hidden />
            {t('tryIt')}
          </Link>
        </>
      }
    >
      <Card title={t('facts')} description={t('overviewReal', { weights: model.backing.weights })}>
        <Facts model={model} />
      </Card>
      <Card title={t('prices')}>
        <Prices model={model} />
      </Card>
      <Card title={t('guide')}>
        <Guide />
      </Card>
      <Card title={t('examples')}>
        <div className="flex flex-col gap-6">
          {exampleNames.map((name) => (
            <section key={name} className="flex min-w-0 flex-col gap-1">
              <h3 className="text-sm font-medium">{t(exampleTitles[name])}</h3>
              {/* As high as a short example, so that the page does not jump when it comes. */}
              <Suspense fallback={<Skeleton className="h-96 w-full" />}>
                <RecordedExample name={name} modelId={model.id} />
              </Suspense>
            </section>
          ))}
        </div>
      </Card>
      <Card title={t('schema')} description={t('schemaText')} isFlush>
        <RequestFields />
      </Card>
    </Page>
  );
}

const exampleTitles = {
  chat: 'exampleChat',
  stream: 'exampleStream',
  schema: 'exampleSchema',
  tools: 'exampleTools',
} as const;

function Facts({ model }: { readonly model: Model }) {
  const t = useMessages(modelsMessages);
  const { count, bytes } = useFormats();
  const { backing } = model;
  const facts: readonly (readonly [string, ReactNode])[] = [
    [t('answeredBy'), backing.weights],
    [t('window'), count(model.context_length)],
    [t('aliases'), model.aliases.length === 0 ? t('none') : model.aliases.join(', ')],
    [t('engine'), backing.engine],
    [t('size'), backing.size_bytes === null ? t('unknown') : bytes(backing.size_bytes)],
    [t('licence'), backing.licence ?? t('unknown')],
    [
      t('digest'),
      <code key="digest" className="font-mono text-xs">
        {backing.digest}
      </code>,
    ],
    [t('enforced'), backing.schema_enforced ? t('enforcedYes') : t('enforcedNo')],
    [
      t('capabilities'),
      <span key="capabilities" className="flex flex-wrap gap-1">
        {model.capabilities?.map((capability) => (
          <Badge key={capability}>{capability}</Badge>
        ))}
      </span>,
    ],
  ];
  return (
    <dl className="grid grid-cols-1 gap-x-6 gap-y-2.5 sm:grid-cols-2">
      {facts.map(([name, value]) => (
        <div key={name} className="flex min-w-0 flex-col">
          <dt className="text-xs text-faint">{name}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Prices({ model }: { readonly model: Model }) {
  const t = useMessages(modelsMessages);
  const { usd } = useFormats();
  return (
    <table className="w-full text-sm">
      <thead className="sr-only">
        <tr>
          <th>{t('unit')}</th>
          <th>{t('price')}</th>
        </tr>
      </thead>
      <tbody>
        {model.pricing?.units.map(({ unit, price, per }) => (
          <tr key={unit} className="border-b border-line last:border-b-0">
            <td className="py-1.5 pr-4">{t(`unit_${unit}`)}</td>
            <td className="numeric py-1.5 text-right whitespace-nowrap">
              {usd(price)}{' '}
              <span className="text-xs text-faint">{per === 1 ? t('each') : t('millionTokens')}</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Guide() {
  const t = useMessages(modelsMessages);
  const link = 'font-medium text-accent hover:underline';
  return (
    <ol className="flex list-decimal flex-col gap-1.5 pl-5 text-sm marker:text-faint">
      <li>
        <Link to="/sign-up" className={link}>
          {t('guide1')}
        </Link>{' '}
        {t('guide1Text')}
      </li>
      <li>
        <Link to="/keys" className={link}>
          {t('guide2')}
        </Link>{' '}
        {t('guide2Text')}
      </li>
      <li>
        <span className="font-medium">{t('guide3')}</span> {t('guide3Text')}
      </li>
      <li>
        <span className="font-medium">{t('guide4')}</span> {t('guide4Text')}
      </li>
    </ol>
  );
}
