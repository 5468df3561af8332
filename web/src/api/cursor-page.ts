/** A page of a list, which names where the next one begins. */
export interface CursorPage<Row> {
  readonly data: readonly Row[];
  readonly pagination: { readonly next_cursor: string | null };
}

/** How an infinite query walks from page to page. */
export const walkByCursor = {
  // The type of the query's page parameter is inferred from this.
  initialPageParam: undefined as string | undefined,
  getNextPageParam: ({ pagination }: CursorPage<unknown>) => pagination.next_cursor ?? undefined,
};
