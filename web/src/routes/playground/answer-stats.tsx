import { Zap } from 'lucide-react';
import type { ReactNode } from 'react';
import { Badge, type Tone } from '../../components/badge.tsx';
import { Tooltip } from '../../components/tooltip.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import type { AnswerNode } from './conversation.ts';
import { playgroundMessages } from './playground-messages.ts';

/** What an answer took and cost, in one line. */
export function AnswerStats({ answer }: { readonly answer: AnswerNode }) {
  const t = useMessages(playgroundMessages);
  const { usd, duration } = useFormats();
  const { numbers, firstTokenMs } = answer;
  const rate = tokensPerSecond(answer);
  return (
    <dl
      aria-label={t('stats')}
      className="numeric flex flex-wrap items-center gap-x-3.5 gap-y-1 text-xs text-faint"
    >
      {numbers !== undefined && (
        <>
          <Stat>{t('tokensIn', { count: numbers.promptTokens })}</Stat>
          <Stat>
            <CachedTokens cached={numbers.cachedTokens} prompt={numbers.promptTokens} />
          </Stat>
          <Stat>{t('tokensOut', { count: numbers.completionTokens })}</Stat>
        </>
      )}
      {firstTokenMs !== undefined && <Stat>{t('firstToken', { time: duration(firstTokenMs) })}</Stat>}
      {rate !== undefined && <Stat>{t('tokensPerSecond', { rate: rate.toFixed(rate < 10 ? 1 : 0) })}</Stat>}
      {numbers?.costUsd !== undefined && (
        <Stat>
          <span className="sr-only">{t('cost')} </span>
          {usd(numbers.costUsd)}
        </Stat>
      )}
      <Outcome answer={answer} />
    </dl>
  );
}

function Stat({ children }: { readonly children: ReactNode }) {
  return (
    <div className="flex items-center whitespace-nowrap">
      <dd>{children}</dd>
    </div>
  );
}

/** The share of the prompt that had been computed before. */
function CachedTokens({ cached, prompt }: { readonly cached: number; readonly prompt: number }) {
  const t = useMessages(playgroundMessages);
  const { percent } = useFormats();
  const explanation =
    cached === 0 ? t('cachedNone') : t('cachedShare', { percent: percent(cached / Math.max(1, prompt)) });
  return (
    <Tooltip text={explanation}>
      <span className={cached > 0 ? 'inline-flex items-center gap-0.5 text-success' : undefined}>
        {cached > 0 && <Zap size={11} aria-hidden />}
        {t('tokensCached', { count: cached })}
        <span className="sr-only"> {explanation}</span>
      </span>
    </Tooltip>
  );
}

function Outcome({ answer }: { readonly answer: AnswerNode }) {
  const t = useMessages(playgroundMessages);
  const outcome = describeOutcome(answer);
  return (
    outcome !== undefined && (
      <div className="flex items-center">
        <dd className="flex">
          <Badge tone={outcome.tone}>{t(outcome.key)}</Badge>
        </dd>
      </div>
    )
  );
}

type OutcomeKey = 'stateStopped' | 'stateFailed' | 'finishStop' | 'finishLength' | 'finishTools';

function describeOutcome({ state, finishReason }: AnswerNode): { tone: Tone; key: OutcomeKey } | undefined {
  if (state === 'stopped') return { tone: 'neutral', key: 'stateStopped' };
  if (state === 'failed') return { tone: 'danger', key: 'stateFailed' };
  if (finishReason === 'length') return { tone: 'warning', key: 'finishLength' };
  if (finishReason === 'tool_calls') return { tone: 'accent', key: 'finishTools' };
  return finishReason === 'stop' ? { tone: 'success', key: 'finishStop' } : undefined;
}

/** Answers that came in less than this came in one piece: their speed would say nothing. */
const streamedMsMin = 50;

/**
 * Over the time in which tokens came; the wait for the first is another number. Undefined for calls of tools, too: they
 * come whole, long after their tokens.
 */
function tokensPerSecond({ numbers, firstTokenMs, totalMs, toolCalls }: AnswerNode): number | undefined {
  if (numbers === undefined || firstTokenMs === undefined || totalMs === undefined) return undefined;
  if (toolCalls.length > 0) return undefined;
  const tokens = numbers.completionTokens - 1;
  const streamedMs = totalMs - firstTokenMs;
  return tokens > 0 && streamedMs >= streamedMsMin ? tokens / (streamedMs / 1_000) : undefined;
}
