import { useMessages } from '../i18n/language-context.tsx';
import { Button } from './button.tsx';
import { componentMessages } from './component-messages.ts';

/** Below a list that comes in pages; nothing when its last page is there. */
export function LoadMore({
  list,
  className,
}: {
  /** What `useInfiniteQuery` gives. */
  readonly list: {
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    fetchNextPage(): Promise<unknown>;
  };
  readonly className?: string;
}) {
  const t = useMessages(componentMessages);
  return (
    list.hasNextPage && (
      <Button
        size="sm"
        className={className}
        isBusy={list.isFetchingNextPage}
        onClick={() => void list.fetchNextPage()}
      >
        {t('loadMore')}
      </Button>
    )
  );
}
