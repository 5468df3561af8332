/** What a view shows instead of its data: nothing yet, still coming, or not to be had. */
import { CircleAlert, RotateCw } from 'lucide-react';
import type { ReactNode } from 'react';
import { ApiFailure } from '../api/api-failure.ts';
import { useMessages } from '../i18n/language-context.tsx';
import { Button } from './button.tsx';
import { componentMessages } from './component-messages.ts';
import { cx } from './cx.ts';

/** Nothing there yet: says what would be here, and offers the first step. */
export function EmptyState({
  icon,
  title,
  description,
  action,
}: {
  readonly icon?: ReactNode;
  readonly title: string;
  readonly description?: ReactNode;
  readonly action?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center justify-center gap-3 px-6 py-14 text-center">
      {icon !== undefined && (
        <div className="flex size-10 items-center justify-center rounded-lg border border-line bg-sunken text-muted">
          {icon}
        </div>
      )}
      <div className="max-w-sm">
        <p className="text-base font-medium">{title}</p>
        {description !== undefined && <p className="mt-1 text-sm text-muted">{description}</p>}
      </div>
      {action}
    </div>
  );
}

/** Why the data is not there, in the server's words, and the way to try again. */
export function ErrorState({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const t = useMessages(componentMessages);
  const failure = error instanceof ApiFailure ? error : undefined;
  const text =
    failure?.isUnreachable === true
      ? t('unreachable')
      : error instanceof Error
        ? error.message
        : String(error);
  return (
    <div role="alert" className="flex flex-col items-center justify-center gap-3 px-6 py-12 text-center">
      <CircleAlert size={22} aria-hidden className="text-danger" />
      <div className="max-w-md">
        <p className="text-base font-medium">{t('errorTitle')}</p>
        <p className="mt-1 text-sm text-muted">{text}</p>
        {failure?.requestId !== undefined && (
          <p className="mt-2 font-mono text-2xs text-faint">
            {failure.code} · {failure.requestId}
          </p>
        )}
      </div>
      {onRetry !== undefined && (
        <Button icon={<RotateCw size={14} aria-hidden />} onClick={onRetry}>
          {t('retry')}
        </Button>
      )}
    </div>
  );
}

/** Grey lines where text will be; `className` gives them the height and width of what comes. */
export function Skeleton({ className }: { readonly className?: string }) {
  return <div aria-hidden className={cx('skeleton', className ?? 'h-4 w-full')} />;
}

/** Rows of a list that is loading, as high as the rows that come. */
export function SkeletonRows({
  count = 6,
  className = 'h-10',
}: {
  readonly count?: number;
  readonly className?: string;
}) {
  const t = useMessages(componentMessages);
  return (
    <div role="status" aria-label={t('loading')} className="divide-y divide-line">
      {Array.from({ length: count }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: grey lines have no identity and never move.
        <div key={row} className={cx('flex items-center gap-4 px-4', className)}>
          <Skeleton className="h-3 w-1/4" />
          <Skeleton className="h-3 w-1/3" />
          <Skeleton className="ml-auto h-3 w-16" />
        </div>
      ))}
    </div>
  );
}
