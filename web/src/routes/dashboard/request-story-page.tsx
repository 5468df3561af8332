import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { type RequestStory, requestStoryQuery } from '../../api/activity.ts';
import { Card } from '../../components/card.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Page } from '../../components/page.tsx';
import { ErrorState, SkeletonRows } from '../../components/states.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { requestMessages } from './request-messages.ts';
import { RequestStatus } from './request-table.tsx';

/** Everything that is known of one request: how it ended, what it took, what it cost and by which price. */
export function RequestStoryPage() {
  const t = useMessages(requestMessages);
  const { inferenceId } = useParams({ from: '/shell/member/requests/$inferenceId' });
  const story = useQuery(requestStoryQuery(inferenceId));
  return (
    <Page
      title={t('story')}
      description={
        <span className="flex items-center gap-1 font-mono text-xs">
          {inferenceId}
          <CopyButton text={inferenceId} />
        </span>
      }
    >
      {story.isError ? (
        <Card>
          <ErrorState error={story.error} onRetry={() => void story.refetch()} />
        </Card>
      ) : story.data === undefined ? (
        <Card isFlush>
          <SkeletonRows count={8} />
        </Card>
      ) : (
        <Story story={story.data} />
      )}
    </Page>
  );
}

function Story({ story }: { readonly story: RequestStory }) {
  const t = useMessages(requestMessages);
  const { dateTime } = useFormats();
  return (
    <>
      <div className="grid gap-4 lg:grid-cols-2">
        <Card title={t('storyTiming')}>
          <Facts>
            <Fact name={t('status')}>
              <RequestStatus request={story} />
            </Fact>
            {story.error_code !== null && (
              <Fact name={t('errorCode')}>
                <a
                  href={`/app/docs/errors#${story.error_code}`}
                  className="font-mono text-xs text-accent hover:underline"
                >
                  {story.error_code}
                </a>
              </Fact>
            )}
            <Fact name={t('created')}>{dateTime(story.created_at)}</Fact>
            <Timing story={story} />
          </Facts>
        </Card>
        <Card title={t('storyTokens')}>
          <TokenFacts story={story} />
        </Card>
      </div>
      <Card title={t('storyIds')}>
        <Facts>
          <Fact name={t('model')}>{story.model}</Fact>
          <Fact name={t('key')}>
            {story.key.name ?? ''} <span className="font-mono text-xs text-faint">{story.key.prefix}…</span>
          </Fact>
          <Fact name={t('origin')}>{story.origin === 'api' ? t('api') : t('playground')}</Fact>
          <Fact name={t('inferenceId')}>
            <span className="font-mono text-xs">{story.inference_id}</span>
          </Fact>
          {story.client_request_id !== null && (
            <Fact name={t('clientRequestId')}>
              <span className="font-mono text-xs">{story.client_request_id}</span>
            </Fact>
          )}
        </Facts>
      </Card>
    </>
  );
}

/** The first part of a request is spent before its first token, the rest on decoding: a bar shows the shares. */
function Timing({ story }: { readonly story: RequestStory }) {
  const t = useMessages(requestMessages);
  const { duration } = useFormats();
  const { duration_ms: total, time_to_first_token_ms: first, tokens_per_second: speed } = story;
  return (
    <>
      {first !== null && total > 0 && (
        <div aria-hidden className="my-1 flex h-2 overflow-hidden rounded-full bg-hover">
          <div className="bg-series-2" style={{ width: `${Math.min(100, (first / total) * 100)}%` }} />
          <div className="flex-1 bg-series-1" />
        </div>
      )}
      {first !== null && (
        <>
          <Fact name={t('waiting')}>{duration(first)}</Fact>
          <Fact name={t('decoding')}>{duration(Math.max(0, total - first))}</Fact>
        </>
      )}
      <Fact name={t('duration')}>{duration(total)}</Fact>
      {speed !== null && <Fact name={t('speed')}>{t('speedValue', { value: speed })}</Fact>}
    </>
  );
}

const counters = ['engine', 'upstream', 'estimate'] as const;

function TokenFacts({ story }: { readonly story: RequestStory }) {
  const t = useMessages(requestMessages);
  const { count, usd, usdColumn, dateTime } = useFormats();
  const { price, tokens } = story;
  const counter = counters.find((each) => each === story.tokens_counted_by);
  return (
    <Facts>
      <Fact name={t('input')}>{count(tokens.input)}</Fact>
      <Fact name={t('cached')}>{count(tokens.cached)}</Fact>
      <Fact name={t('output')}>{count(tokens.output)}</Fact>
      {counter !== undefined && <Fact name={t('countedBy')}>{t(counter)}</Fact>}
      {story.web_searches > 0 && <Fact name={t('webSearches')}>{count(story.web_searches)}</Fact>}
      {story.cache_hits > 0 && <Fact name={t('cacheHits')}>{count(story.cache_hits)}</Fact>}
      <Fact name={t('cost')}>
        <span className="font-medium">{usdColumn(story.cost_usd, 9)}</span>
      </Fact>
      <Fact name={t('charged')}>
        {story.charged_at === null ? t('notCharged') : dateTime(story.charged_at)}
      </Fact>
      {/* A request that failed may not have come as far as a price. */}
      {(price !== null || story.status !== 'failed') && (
        <p className="pt-1 text-xs text-faint">
          {price === null
            ? t('free')
            : t('price', {
                version: price.version,
                input: usd(price.input_usd),
                cached: usd(price.cached_input_usd),
                output: usd(price.output_usd),
              })}
        </p>
      )}
    </Facts>
  );
}

function Facts({ children }: { readonly children: ReactNode }) {
  return <dl className="flex flex-col gap-2 text-sm">{children}</dl>;
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-4">
      <dt className="shrink-0 text-muted">{name}</dt>
      <dd className="numeric min-w-0 truncate text-right">{children}</dd>
    </div>
  );
}
