import type { ReactNode } from 'react';
import { cx } from './cx.ts';

/** A surface with an optional heading. `isFlush` leaves out the padding, for tables. */
export function Card({
  title,
  description,
  actions,
  isFlush = false,
  className,
  children,
}: {
  readonly title?: string;
  readonly description?: ReactNode;
  readonly actions?: ReactNode;
  readonly isFlush?: boolean;
  readonly className?: string;
  readonly children: ReactNode;
}) {
  return (
    <section
      className={cx(
        'min-w-0 rounded-lg border border-line bg-surface',
        isFlush && 'overflow-hidden',
        className,
      )}
    >
      {title !== undefined && (
        <header className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2 px-4 pt-3">
          <div className="min-w-0">
            <h2 className="text-base font-semibold">{title}</h2>
            {description !== undefined && <p className="text-xs text-faint">{description}</p>}
          </div>
          {actions}
        </header>
      )}
      <div className={isFlush ? (title === undefined ? '' : 'mt-3 border-t border-line') : 'p-4'}>
        {children}
      </div>
    </section>
  );
}
