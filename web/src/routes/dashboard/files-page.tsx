import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { FileText, Trash2, Upload } from 'lucide-react';
import { type DragEvent, useRef, useState } from 'react';
import {
  deleteFile,
  fileContentQuery,
  filesKey,
  filesQuery,
  type StoredFile,
  uploadFile,
} from '../../api/files.ts';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { cx } from '../../components/cx.ts';
import { DataTable } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { MenuItem, MenuSeparator } from '../../components/menu.tsx';
import { Page } from '../../components/page.tsx';
import { RowMenu } from '../../components/row-menu.tsx';
import { EmptyState, ErrorState, Skeleton, SkeletonRows } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { filesMessages } from './files-messages.ts';

type Open = { readonly type: 'text' | 'delete'; readonly file: StoredFile };

export function FilesPage() {
  const t = useMessages(filesMessages);
  const files = useQuery(filesQuery);
  const upload = useUpload();
  const [open, setOpen] = useState<Open>();
  const [isDropping, setIsDropping] = useState(false);
  const close = (): void => setOpen(undefined);
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setIsDropping(false);
    upload.mutate([...event.dataTransfer.files]);
  };
  return (
    <Page
      title={t('title')}
      description={t('description')}
      actions={<UploadButton isBusy={upload.isPending} onChoose={upload.mutate} />}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way to do what the button does. */}
      <div
        onDragOver={(event) => {
          event.preventDefault();
          setIsDropping(true);
        }}
        onDragLeave={() => setIsDropping(false)}
        onDrop={onDrop}
        className={cx('rounded-lg', isDropping && 'outline-2 outline-accent outline-dashed')}
      >
        <Card isFlush>
          {files.isError ? (
            <ErrorState error={files.error} onRetry={() => void files.refetch()} />
          ) : files.data === undefined ? (
            <SkeletonRows count={4} />
          ) : files.data.length === 0 ? (
            <EmptyState
              icon={<FileText size={18} aria-hidden />}
              title={isDropping ? t('dropHint') : t('emptyTitle')}
              description={t('emptyText')}
            />
          ) : (
            <FileTable files={files.data} onOpen={setOpen} />
          )}
        </Card>
      </div>
      {open?.type === 'text' && <FileTextDialog file={open.file} onClose={close} />}
      {open?.type === 'delete' && (
        <ConfirmDialog
          title={t('deleteTitle', { name: open.file.filename })}
          description={t('deleteText')}
          action={t('deleteAction')}
          run={() => deleteFile(open.file.id)}
          done={t('deleted')}
          changes={filesKey}
          onClose={close}
        />
      )}
    </Page>
  );
}

function useUpload() {
  const t = useMessages(filesMessages);
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (files: readonly File[]) => {
      // One after the other: each is read into the server's store as a stream.
      for (const file of files) await uploadFile(file);
      return files.length;
    },
    onSuccess: (count) => showToast(t('uploaded', { count })),
    onError: (error) => showToast(error.message, 'danger'),
    onSettled: () => client.invalidateQueries({ queryKey: filesKey }),
  });
}

function UploadButton({
  isBusy,
  onChoose,
}: {
  readonly isBusy: boolean;
  onChoose(files: readonly File[]): void;
}) {
  const t = useMessages(filesMessages);
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={t('upload')}
        onChange={(event) => {
          onChoose([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
      <Button
        variant="primary"
        icon={<Upload size={14} aria-hidden />}
        isBusy={isBusy}
        onClick={() => input.current?.click()}
      >
        {t('upload')}
      </Button>
    </>
  );
}

function FileTable({ files, onOpen }: { readonly files: readonly StoredFile[]; onOpen(open: Open): void }) {
  const t = useMessages(filesMessages);
  const { bytes, dateTime } = useFormats();
  return (
    <DataTable
      label={t('table')}
      rows={files}
      rowKey={({ id }) => id}
      columns={[
        {
          id: 'name',
          header: t('name'),
          cell: (file) => <span className="font-medium">{file.filename}</span>,
        },
        {
          id: 'status',
          header: t('status'),
          cell: (file) =>
            file.status === 'error' ? (
              <span title={file.status_details ?? undefined}>
                <Badge tone="danger">{t('failed')}</Badge>
              </span>
            ) : (
              <Badge tone="success">{t('ready')}</Badge>
            ),
        },
        { id: 'size', header: t('size'), align: 'right', cell: (file) => bytes(file.bytes) },
        {
          id: 'created',
          header: t('created'),
          isHiddenOnPhone: true,
          cell: (file) => dateTime(file.created_at * 1_000),
        },
        {
          id: 'actions',
          header: '',
          width: '3rem',
          cell: (file) => <FileMenu file={file} onOpen={onOpen} />,
        },
      ]}
    />
  );
}

function FileMenu({ file, onOpen }: { readonly file: StoredFile; onOpen(open: Open): void }) {
  const t = useMessages(filesMessages);
  return (
    <RowMenu label={t('actions', { name: file.filename })}>
      <MenuItem
        icon={<FileText size={14} aria-hidden />}
        disabled={file.status === 'error'}
        onSelect={() => onOpen({ type: 'text', file })}
      >
        {t('show')}
      </MenuItem>
      <MenuSeparator />
      <MenuItem
        icon={<Trash2 size={14} aria-hidden />}
        isDangerous
        onSelect={() => onOpen({ type: 'delete', file })}
      >
        {t('delete')}
      </MenuItem>
    </RowMenu>
  );
}

/** The text that was taken out of a file, as a prompt would have it. */
function FileTextDialog({ file, onClose }: { readonly file: StoredFile; onClose(): void }) {
  const t = useMessages(filesMessages);
  const content = useQuery(fileContentQuery(file.id));
  return (
    <Dialog
      isOpen
      onOpenChange={onClose}
      size="lg"
      title={t('textTitle', { name: file.filename })}
      description={<code className="font-mono text-xs">{file.id}</code>}
      footer={<Button onClick={onClose}>{t('close')}</Button>}
    >
      {content.isError ? (
        <ErrorState error={content.error} onRetry={() => void content.refetch()} />
      ) : content.data === undefined ? (
        <Skeleton className="h-48 w-full" />
      ) : (
        <pre className="max-h-[50vh] overflow-auto rounded-md border border-line bg-sunken p-3 font-mono text-xs whitespace-pre-wrap">
          {content.data.content}
        </pre>
      )}
    </Dialog>
  );
}
