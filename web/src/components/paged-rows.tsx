import type { ReactNode } from 'react';
import { ErrorState } from './states.tsx';

interface PagedRowsProps<Row> {
  /** What `useInfiniteQuery` gives. */
  readonly list: {
    readonly data: { readonly pages: readonly { readonly data: readonly Row[] }[] } | undefined;
    readonly error: unknown;
    refetch(): Promise<unknown>;
  };
  /** Grey rows until the first page is there. */
  readonly skeleton: ReactNode;
  /** Instead of a list without rows. */
  readonly empty?: ReactNode;
  children(rows: readonly Row[]): ReactNode;
}

/** A list that comes page by page. What is there stays in sight when a later page, or a fresh look, fails. */
export function PagedRows<Row>({ list, skeleton, empty, children }: PagedRowsProps<Row>) {
  if (list.data === undefined) {
    return list.error === null ? (
      skeleton
    ) : (
      <ErrorState error={list.error} onRetry={() => void list.refetch()} />
    );
  }
  const rows = list.data.pages.flatMap(({ data }) => data);
  return rows.length === 0 && empty !== undefined ? empty : children(rows);
}
