import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { MessagesSquare, Pencil, SearchX, Trash2 } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import {
  changeConversation,
  conversationsKey,
  conversationsQuery,
  deleteConversation,
  type StoredConversation,
} from '../../api/conversations.ts';
import { Badge } from '../../components/badge.tsx';
import { Button, IconButton } from '../../components/button.tsx';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { cx } from '../../components/cx.ts';
import { Dialog } from '../../components/dialog.tsx';
import { TextField } from '../../components/field.tsx';
import { LoadMore } from '../../components/load-more.tsx';
import { EmptyState, ErrorState, SkeletonRows } from '../../components/states.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { dialogMessages } from './dialog-messages.ts';

/** The account's conversations, newest change first, and a search over what was said in them. */
export function HistoryDialog({
  openId,
  onClose,
  onNew,
}: {
  readonly openId: string | undefined;
  onClose(): void;
  /** The open conversation was deleted. */
  onNew(): void;
}) {
  const t = useMessages(dialogMessages);
  const [search, setSearch] = useState('');
  const [deleted, setDeleted] = useState<StoredConversation>();
  const asked = useDeferredValue(search.trim());
  const list = useInfiniteQuery(conversationsQuery(asked));
  const shown = list.data?.pages.flatMap(({ data }) => data) ?? [];
  const hasNone = list.isSuccess && shown.length === 0 && !list.isPlaceholderData;
  return (
    <Dialog isOpen onOpenChange={onClose} title={t('history')} description={t('historyText')}>
      {list.isPending && <SkeletonRows count={5} className="h-12" />}
      {list.isError && <ErrorState error={list.error} onRetry={() => void list.refetch()} />}
      {hasNone && search === '' ? (
        <EmptyState
          icon={<MessagesSquare size={18} aria-hidden />}
          title={t('historyEmpty')}
          description={t('historyEmptyText')}
        />
      ) : (
        <TextField
          label={t('search')}
          isLabelHidden
          type="search"
          maxLength={200}
          placeholder={t('searchWords')}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      )}
      {hasNone && search !== '' && (
        <EmptyState
          icon={<SearchX size={18} aria-hidden />}
          title={t('searchNone')}
          description={t('searchNoneText')}
        />
      )}
      {shown.length > 0 && (
        <ul className="mt-2" aria-busy={list.isPlaceholderData}>
          {shown.map((each) => (
            <HistoryRow
              key={each.id}
              stored={each}
              isOpen={each.id === openId}
              onOpen={onClose}
              onDelete={() => setDeleted(each)}
            />
          ))}
        </ul>
      )}
      <LoadMore list={list} className="mt-3 w-full" />
      {deleted !== undefined && (
        <ConfirmDialog
          title={t('deleteTitle')}
          description={
            <>
              <p className="font-medium text-text">{deleted.title}</p>
              <p className="mt-1">{t('deleteText')}</p>
            </>
          }
          action={t('delete')}
          run={async () => {
            await deleteConversation(deleted.id);
            if (deleted.id === openId) onNew();
          }}
          done={t('deletedDone')}
          changes={conversationsKey}
          onClose={() => setDeleted(undefined)}
        />
      )}
    </Dialog>
  );
}

interface HistoryRowProps {
  readonly stored: StoredConversation;
  readonly isOpen: boolean;
  onOpen(): void;
  onDelete(): void;
}

function HistoryRow({ stored, isOpen, onOpen, onDelete }: HistoryRowProps) {
  const t = useMessages(dialogMessages);
  const { relative } = useFormats();
  const [isRenaming, setIsRenaming] = useState(false);
  if (isRenaming) return <RenameRow stored={stored} onDone={() => setIsRenaming(false)} />;
  return (
    <li
      className={cx(
        '-mx-2 flex items-center gap-1 rounded-md px-2 hover:bg-hover',
        isOpen && 'bg-accent-soft',
      )}
    >
      <Link
        to="/playground/$conversationId"
        params={{ conversationId: stored.id }}
        onClick={onOpen}
        className="flex min-w-0 flex-1 flex-wrap items-center gap-x-2 rounded-sm py-2.5"
      >
        <span className="min-w-0 truncate text-sm max-sm:w-full sm:flex-1">{stored.title}</span>
        {stored.share_id !== null && <Badge tone="info">{t('shared')}</Badge>}
        <span className="text-xs whitespace-nowrap text-faint">{relative(stored.updated_at)}</span>
      </Link>
      <IconButton size="sm" label={t('rename')} onClick={() => setIsRenaming(true)}>
        <Pencil size={14} aria-hidden />
      </IconButton>
      <IconButton size="sm" label={t('delete')} onClick={onDelete}>
        <Trash2 size={14} aria-hidden />
      </IconButton>
    </li>
  );
}

function RenameRow({ stored, onDone }: { readonly stored: StoredConversation; onDone(): void }) {
  const t = useMessages(dialogMessages);
  const client = useQueryClient();
  const [title, setTitle] = useState(stored.title);
  const rename = useMutation({
    mutationFn: () => changeConversation(stored.id, { title: title.trim() }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: conversationsKey });
      onDone();
    },
  });
  return (
    <li>
      <form
        className="flex items-start gap-2 py-1"
        onSubmit={(event) => {
          event.preventDefault();
          if (title.trim() !== '') rename.mutate();
        }}
      >
        <div className="flex-1">
          <TextField
            label={t('name')}
            isLabelHidden
            autoFocus
            maxLength={200}
            value={title}
            error={rename.error?.message}
            onChange={(event) => setTitle(event.target.value)}
          />
        </div>
        <Button type="submit" variant="primary" className="h-9" isBusy={rename.isPending}>
          {t('save')}
        </Button>
        <Button className="h-9" onClick={onDone}>
          {t('cancel')}
        </Button>
      </form>
    </li>
  );
}
