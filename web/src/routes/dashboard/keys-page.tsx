import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Gauge, KeyRound, Pause, Pencil, Play, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { type ApiKey, changeKey, deleteKey, keysKey, keysQuery } from '../../api/keys.ts';
import { keyLimitsPath } from '../../api/rate-limits.ts';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { MenuItem, MenuSeparator } from '../../components/menu.tsx';
import { Page } from '../../components/page.tsx';
import { RowMenu } from '../../components/row-menu.tsx';
import { EmptyState, ErrorState, SkeletonRows } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { RateLimitDialog } from '../rate-limits/rate-limit-dialog.tsx';
import { rateLimitsMessages } from '../rate-limits/rate-limits-messages.ts';
import { type CreatedKey, CreatedKeyDialog } from './created-key-dialog.tsx';
import { KeyDialog } from './key-dialog.tsx';
import { keysMessages } from './keys-messages.ts';
import { LimitBar } from './limit-bar.tsx';
import { ManagementKeys } from './management-keys.tsx';

type Open =
  | { readonly type: 'create' }
  | { readonly type: 'edit'; readonly key: ApiKey }
  | { readonly type: 'delete'; readonly key: ApiKey }
  | { readonly type: 'rate-limits'; readonly key: ApiKey }
  | { readonly type: 'created'; readonly key: CreatedKey };

export function KeysPage() {
  const t = useMessages(keysMessages);
  const tr = useMessages(rateLimitsMessages);
  const keys = useQuery(keysQuery);
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const createButton = (
    <Button
      variant="primary"
      icon={<Plus size={14} aria-hidden />}
      onClick={() => setOpen({ type: 'create' })}
    >
      {t('create')}
    </Button>
  );
  return (
    <Page title={t('title')} description={t('description')} actions={createButton}>
      <Card isFlush>
        {keys.isError ? (
          <ErrorState error={keys.error} onRetry={() => void keys.refetch()} />
        ) : keys.data === undefined ? (
          <SkeletonRows count={4} className="h-12" />
        ) : keys.data.length === 0 ? (
          <EmptyState
            icon={<KeyRound size={18} aria-hidden />}
            title={t('emptyTitle')}
            description={t('emptyText')}
            action={createButton}
          />
        ) : (
          <KeyTable
            keys={keys.data}
            onEdit={(key) => setOpen({ type: 'edit', key })}
            onDelete={(key) => setOpen({ type: 'delete', key })}
            onLimits={(key) => setOpen({ type: 'rate-limits', key })}
          />
        )}
      </Card>
      <ManagementKeys onCreated={(key) => setOpen({ type: 'created', key })} />
      {(open?.type === 'create' || open?.type === 'edit') && (
        <KeyDialog
          existing={open.type === 'edit' ? open.key : undefined}
          onClose={close}
          onCreated={(key) => setOpen({ type: 'created', key })}
        />
      )}
      {open?.type === 'created' && <CreatedKeyDialog created={open.key} onClose={close} />}
      {open?.type === 'rate-limits' && (
        <RateLimitDialog
          title={tr('title', { name: open.key.name ?? open.key.prefix })}
          path={keyLimitsPath(open.key.prefix)}
          onClose={close}
        />
      )}
      {open?.type === 'delete' && (
        <ConfirmDialog
          title={t('deleteTitle', { name: open.key.name ?? open.key.prefix })}
          description={t('deleteText')}
          action={t('deleteAction')}
          run={() => deleteKey('regular', open.key.prefix)}
          done={t('deletedDone')}
          changes={keysKey}
          onClose={close}
        />
      )}
    </Page>
  );
}

interface KeyTableProps {
  readonly keys: readonly ApiKey[];
  onEdit(key: ApiKey): void;
  onDelete(key: ApiKey): void;
  onLimits(key: ApiKey): void;
}

function KeyTable({ keys, onEdit, onDelete, onLimits }: KeyTableProps) {
  const t = useMessages(keysMessages);
  const { usd, date, relative } = useFormats();
  const columns: readonly Column<ApiKey>[] = [
    {
      id: 'name',
      header: t('name'),
      cell: (key) => (
        <div className="min-w-0">
          <p className="truncate font-medium">{key.name ?? '–'}</p>
          <p className="truncate font-mono text-2xs text-faint">{key.prefix}…</p>
        </div>
      ),
    },
    {
      id: 'status',
      header: t('status'),
      width: '7rem',
      cell: (key) => <KeyStatus apiKey={key} />,
    },
    { id: 'limit', header: t('spend'), width: '13rem', cell: (key) => <LimitBar apiKey={key} /> },
    {
      id: 'month',
      header: t('month'),
      align: 'right',
      isHiddenOnPhone: true,
      cell: (key) => usd(key.monthly_usage),
    },
    {
      id: 'used',
      header: t('lastUsed'),
      isHiddenOnPhone: true,
      cell: (key) => (key.last_used_at === null ? t('never') : relative(key.last_used_at)),
    },
    { id: 'created', header: t('created'), isHiddenOnPhone: true, cell: (key) => date(key.created_at) },
    {
      id: 'actions',
      header: '',
      width: '3rem',
      cell: (key) => (
        <KeyMenu
          apiKey={key}
          onEdit={() => onEdit(key)}
          onDelete={() => onDelete(key)}
          onLimits={() => onLimits(key)}
        />
      ),
    },
  ];
  return (
    <DataTable
      label={t('table')}
      columns={columns}
      rows={keys}
      rowKey={({ prefix }) => prefix}
      rowHeight={52}
    />
  );
}

function KeyStatus({ apiKey }: { readonly apiKey: ApiKey }) {
  const t = useMessages(keysMessages);
  if (apiKey.disabled) return <Badge>{t('disabled')}</Badge>;
  if (apiKey.expires_at !== null && Date.parse(apiKey.expires_at) <= Date.now()) {
    return <Badge tone="warning">{t('expired')}</Badge>;
  }
  return <Badge tone="success">{t('enabled')}</Badge>;
}

function KeyMenu({
  apiKey,
  onEdit,
  onDelete,
  onLimits,
}: {
  readonly apiKey: ApiKey;
  onEdit(): void;
  onDelete(): void;
  onLimits(): void;
}) {
  const t = useMessages(keysMessages);
  const tr = useMessages(rateLimitsMessages);
  const client = useQueryClient();
  const toggle = useMutation({
    mutationFn: () => changeKey('regular', apiKey.prefix, { disabled: !apiKey.disabled }),
    onSuccess: () => showToast(t('changed')),
    onError: (error) => showToast(error.message, 'danger'),
    onSettled: () => client.invalidateQueries({ queryKey: keysKey }),
  });
  return (
    <RowMenu label={t('actions', { name: apiKey.name ?? apiKey.prefix })}>
      <MenuItem icon={<Pencil size={14} aria-hidden />} onSelect={onEdit}>
        {t('edit')}
      </MenuItem>
      <MenuItem icon={<Gauge size={14} aria-hidden />} onSelect={onLimits}>
        {tr('open')}
      </MenuItem>
      <MenuItem
        icon={apiKey.disabled ? <Play size={14} aria-hidden /> : <Pause size={14} aria-hidden />}
        onSelect={() => toggle.mutate()}
      >
        {apiKey.disabled ? t('enable') : t('disable')}
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={<Trash2 size={14} aria-hidden />} isDangerous onSelect={onDelete}>
        {t('delete')}
      </MenuItem>
    </RowMenu>
  );
}
