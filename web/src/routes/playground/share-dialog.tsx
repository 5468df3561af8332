import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Download, Link2, Upload } from 'lucide-react';
import { useRef } from 'react';
import {
  conversationsKey,
  createConversation,
  shareConversation,
  unshareConversation,
} from '../../api/conversations.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { TextField } from '../../components/field.tsx';
import { showToast } from '../../components/toast.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { saveFile } from '../../save-file.ts';
import { type Conversation, titleOf } from './conversation.ts';
import { dialogMessages } from './dialog-messages.ts';
import type { Saving } from './use-saving.ts';

/** A public link to the conversation, and its way out of and into the account as a file. */
export function ShareDialog({
  conversation,
  saving,
  onClose,
}: {
  readonly conversation: Conversation;
  readonly saving: Saving;
  onClose(): void;
}) {
  const t = useMessages(dialogMessages);
  const { stored } = saving;
  return (
    <Dialog isOpen onOpenChange={onClose} title={t('shareTitle')} description={t('shareText')}>
      <div className="flex flex-col gap-5">
        {stored !== undefined && <ShareLink saving={saving} id={stored.id} shareId={stored.share_id} />}
        <FileButtons conversation={conversation} title={stored?.title} onClose={onClose} />
      </div>
    </Dialog>
  );
}

function ShareLink({
  saving,
  id,
  shareId,
}: {
  readonly saving: Saving;
  readonly id: string;
  readonly shareId: string | null;
}) {
  const t = useMessages(dialogMessages);
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: async (isShared: boolean) => {
      if (isShared) return shareConversation(id);
      await unshareConversation(id);
      return null;
    },
    onSuccess: (share_id) => {
      if (saving.stored !== undefined) saving.setStored({ ...saving.stored, share_id });
      return client.invalidateQueries({ queryKey: conversationsKey });
    },
    onError: (error) => showToast(error.message, 'danger'),
  });
  if (shareId === null) {
    return (
      <Button
        variant="primary"
        icon={<Link2 size={15} aria-hidden />}
        isBusy={change.isPending}
        onClick={() => change.mutate(true)}
      >
        {t('shareStart')}
      </Button>
    );
  }
  const link = `${window.location.origin}/app/shared/${shareId}`;
  return (
    <div className="flex flex-col gap-2">
      <div className="flex items-end gap-2">
        <div className="flex-1">
          <TextField label={t('shareLink')} readOnly value={link} className="font-mono text-xs" />
        </div>
        <CopyButton text={link} size="md" />
      </div>
      <Button size="sm" className="self-start" isBusy={change.isPending} onClick={() => change.mutate(false)}>
        {t('shareStop')}
      </Button>
    </div>
  );
}

function FileButtons({
  conversation,
  title,
  onClose,
}: {
  readonly conversation: Conversation;
  readonly title: string | undefined;
  onClose(): void;
}) {
  const t = useMessages(dialogMessages);
  const navigate = useNavigate();
  const client = useQueryClient();
  const picker = useRef<HTMLInputElement>(null);
  const exportFile = async (): Promise<void> => {
    const { writeExport } = await import('./read-conversation.ts');
    const name = title ?? titleOf(conversation) ?? 'conversation';
    const fileName = `${name.replace(/[^\p{L}\p{N} _-]/gu, '').slice(0, 60)}.json`;
    saveFile(fileName, 'application/json', writeExport(name, conversation));
  };
  const importFile = useMutation({
    mutationFn: async (file: File) => {
      const { readExport } = await import('./read-conversation.ts');
      const imported = readExport(await file.text());
      if (imported === undefined) throw new Error(t('importBad'));
      return createConversation(imported.title, imported.conversation);
    },
    onSuccess: async ({ id }) => {
      await client.invalidateQueries({ queryKey: conversationsKey });
      onClose();
      await navigate({ to: '/playground/$conversationId', params: { conversationId: id } });
    },
    onError: (error) => showToast(error.message, 'danger'),
  });
  return (
    <div className="flex flex-wrap gap-2">
      <Button
        icon={<Download size={15} aria-hidden />}
        disabled={titleOf(conversation) === undefined}
        onClick={() => void exportFile()}
      >
        {t('exportJson')}
      </Button>
      <Button
        icon={<Upload size={15} aria-hidden />}
        isBusy={importFile.isPending}
        onClick={() => picker.current?.click()}
      >
        {t('importJson')}
      </Button>
      <input
        ref={picker}
        type="file"
        accept="application/json,.json"
        hidden
        aria-label={t('importJson')}
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file !== undefined) importFile.mutate(file);
          event.target.value = '';
        }}
      />
    </div>
  );
}
