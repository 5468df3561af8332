import type { ApiKey, LimitRetention } from '../../api/keys.ts';
import { cx } from '../../components/cx.ts';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { keysMessages } from './keys-messages.ts';

const periods = {
  day: 'perDay',
  week: 'perWeek',
  month: 'perMonth',
  no_reset: 'perEver',
} as const satisfies Record<LimitRetention, string>;

/** What a key has spent against its limit, as a bar and in words. */
export function LimitBar({ apiKey: { limit, limit_spent: limitSpent } }: { readonly apiKey: ApiKey }) {
  const t = useMessages(keysMessages);
  const { usd } = useFormats();
  if (limit === null) return <span className="text-faint">{t('noLimit')}</span>;
  const spent = limitSpent ?? 0;
  const ratio = limit.threshold === 0 ? 1 : Math.min(1, spent / limit.threshold);
  const text = t('ofLimit', { spent: usd(spent), limit: usd(limit.threshold) });
  return (
    <div className="flex w-36 flex-col sm:w-44 gap-1">
      <div
        role="meter"
        aria-label={t('spend')}
        aria-valuemin={0}
        aria-valuemax={limit.threshold}
        aria-valuenow={Math.min(spent, limit.threshold)}
        aria-valuetext={text}
        className="h-1.5 overflow-hidden rounded-full bg-active"
      >
        <div
          className={cx(
            'h-full rounded-full',
            ratio >= 1 ? 'bg-danger' : ratio >= 0.8 ? 'bg-warning' : 'bg-accent',
          )}
          style={{ width: `${ratio * 100}%` }}
        />
      </div>
      <span className={cx('numeric truncate text-2xs', ratio >= 1 ? 'text-danger' : 'text-faint')}>
        {ratio >= 1 ? `${t('limitReached')} · ` : ''}
        {text} {t(periods[limit.retention])}
      </span>
    </div>
  );
}
