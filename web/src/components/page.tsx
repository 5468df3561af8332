import type { ReactNode } from 'react';
import { useEffect } from 'react';
import { cx } from './cx.ts';

/** The frame of a view: its heading, actions right of it, and the content in a readable width. */
export function Page({
  title,
  description,
  actions,
  width = 'wide',
  children,
}: {
  readonly title: string;
  readonly description?: ReactNode;
  readonly actions?: ReactNode;
  /** `text` for prose and forms, `wide` for tables. */
  readonly width?: 'text' | 'wide';
  readonly children: ReactNode;
}) {
  usePageTitle(title);
  return (
    <div
      className={cx('mx-auto w-full px-4 pt-5 pb-16 sm:px-6', width === 'text' ? 'max-w-3xl' : 'max-w-6xl')}
    >
      <header className="mb-5 flex flex-wrap items-start justify-between gap-x-4 gap-y-3">
        <div className="min-w-0">
          <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
          {description !== undefined && <p className="mt-0.5 max-w-2xl text-sm text-muted">{description}</p>}
        </div>
        {actions !== undefined && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      <div className="flex flex-col gap-4">{children}</div>
    </div>
  );
}

/** Names the browser's tab while the view is shown. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Perigee`;
  }, [title]);
}
