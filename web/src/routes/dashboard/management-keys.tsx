import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import {
  createKey,
  deleteKey,
  type ManagementKey,
  managementKeysKey,
  managementKeysQuery,
} from '../../api/keys.ts';
import { Button, IconButton } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { ErrorState, SkeletonRows } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import type { CreatedKey } from './created-key-dialog.tsx';
import { keysMessages } from './keys-messages.ts';

/** The few keys that manage keys; they are made here and nowhere else. */
export function ManagementKeys({ onCreated }: { onCreated(key: CreatedKey): void }) {
  const t = useMessages(keysMessages);
  const client = useQueryClient();
  const keys = useQuery(managementKeysQuery);
  const [doomed, setDoomed] = useState<ManagementKey>();
  const create = useMutation({
    mutationFn: () => createKey('management', {}),
    onSuccess: ({ key }) => onCreated({ kind: 'management', secret: key }),
    onError: (error) => showToast(error.message, 'danger'),
    onSettled: () => client.invalidateQueries({ queryKey: managementKeysKey }),
  });
  return (
    <Card
      title={t('managementTitle')}
      description={t('managementText')}
      isFlush
      actions={
        <Button
          size="sm"
          icon={<Plus size={14} aria-hidden />}
          isBusy={create.isPending}
          onClick={() => create.mutate()}
        >
          {t('managementCreate')}
        </Button>
      }
    >
      {keys.isError ? (
        <ErrorState error={keys.error} onRetry={() => void keys.refetch()} />
      ) : keys.data === undefined ? (
        <SkeletonRows count={1} />
      ) : keys.data.length === 0 ? (
        <p className="px-4 py-3 text-sm text-faint">{t('managementEmpty')}</p>
      ) : (
        <KeyList keys={keys.data} onDelete={setDoomed} />
      )}
      {doomed !== undefined && (
        <ConfirmDialog
          title={t('deleteTitle', { name: doomed.name ?? doomed.prefix })}
          description={t('deleteText')}
          action={t('deleteAction')}
          run={() => deleteKey('management', doomed.prefix)}
          done={t('deletedDone')}
          changes={managementKeysKey}
          onClose={() => setDoomed(undefined)}
        />
      )}
    </Card>
  );
}

function KeyList({
  keys,
  onDelete,
}: {
  readonly keys: readonly ManagementKey[];
  onDelete(key: ManagementKey): void;
}) {
  const t = useMessages(keysMessages);
  const { date, relative } = useFormats();
  return (
    <ul className="divide-y divide-line">
      {keys.map((key) => (
        <li key={key.prefix} className="flex items-center gap-4 px-4 py-2 text-sm">
          <span className="font-mono text-xs">{key.prefix}…</span>
          <span className="min-w-0 flex-1 truncate text-muted">{key.name}</span>
          <span className="text-xs text-faint max-sm:hidden">
            {t('created')} {date(key.created_at)} ·{' '}
            {key.last_used_at === null ? t('never') : relative(key.last_used_at)}
          </span>
          <IconButton label={`${t('delete')} ${key.prefix}`} size="sm" onClick={() => onDelete(key)}>
            <Trash2 size={14} aria-hidden />
          </IconButton>
        </li>
      ))}
    </ul>
  );
}
