import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useMessages } from '../i18n/language-context.tsx';
import { Button } from './button.tsx';
import { componentMessages } from './component-messages.ts';
import { Dialog } from './dialog.tsx';
import { showToast } from './toast.tsx';

/** Asks before something that cannot be undone, and does it. `action` names it: “Delete key”, never “OK”. */
export function ConfirmDialog({
  title,
  description,
  action,
  run,
  done,
  changes,
  onClose,
}: {
  readonly title: string;
  readonly description: ReactNode;
  readonly action: string;
  /** A failure is shown as a notification. */
  run(): Promise<unknown>;
  /** What is said when it has succeeded. */
  readonly done: string;
  /** What has to be read again after it, well or badly ended. */
  readonly changes: QueryKey;
  onClose(): void;
}) {
  const t = useMessages(componentMessages);
  const client = useQueryClient();
  const mutation = useMutation({
    mutationFn: run,
    onSuccess: () => showToast(done),
    onError: (error) => showToast(error.message, 'danger'),
    onSettled: async () => {
      onClose();
      await client.invalidateQueries({ queryKey: changes });
    },
  });
  return (
    <Dialog
      isOpen
      onOpenChange={onClose}
      title={title}
      size="sm"
      footer={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button variant="danger" isBusy={mutation.isPending} onClick={() => mutation.mutate()}>
            {action}
          </Button>
        </>
      }
    >
      <div className="text-sm text-muted">{description}</div>
    </Dialog>
  );
}
