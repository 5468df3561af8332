import type { ReactNode } from 'react';
import { cx } from './cx.ts';
import { Skeleton } from './states.tsx';

/** One figure with its name; `detail` says what it is made of. While it is undefined its place is kept. */
export function Stat({
  label,
  value,
  detail,
  tone,
}: {
  readonly label: string;
  readonly value: string | undefined;
  readonly detail?: ReactNode;
  readonly tone?: 'danger' | 'warning' | undefined;
}) {
  const color = { danger: 'text-danger', warning: 'text-warning' };
  return (
    <div className="min-w-0 rounded-lg border border-line bg-surface px-4 py-3">
      <p className="truncate text-xs text-faint">{label}</p>
      {value === undefined ? (
        <Skeleton className="mt-1.5 mb-0.5 h-6 w-20" />
      ) : (
        <p
          className={cx(
            'numeric mt-0.5 truncate text-xl font-semibold tracking-tight',
            tone !== undefined && color[tone],
          )}
        >
          {value}
        </p>
      )}
      {(detail !== undefined || value === undefined) && (
        <p className="min-h-4 text-pretty text-xs text-faint">{detail}</p>
      )}
    </div>
  );
}
