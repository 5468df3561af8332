import type { ReactNode } from 'react';
import { useMessages } from '../i18n/language-context.tsx';
import { Button } from './button.tsx';
import { componentMessages } from './component-messages.ts';
import { Dialog } from './dialog.tsx';

/** Asks before something that cannot be undone. `action` names it: “Delete key”, never “OK”. */
export function ConfirmDialog({
  isOpen,
  onOpenChange,
  title,
  description,
  action,
  isBusy = false,
  onConfirm,
}: {
  readonly isOpen: boolean;
  onOpenChange(isOpen: boolean): void;
  readonly title: string;
  readonly description: ReactNode;
  readonly action: string;
  readonly isBusy?: boolean;
  onConfirm(): void;
}) {
  const t = useMessages(componentMessages);
  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      title={title}
      size="sm"
      footer={
        <>
          <Button onClick={() => onOpenChange(false)}>{t('cancel')}</Button>
          <Button variant="danger" isBusy={isBusy} onClick={onConfirm}>
            {action}
          </Button>
        </>
      }
    >
      <div className="text-sm text-muted">{description}</div>
    </Dialog>
  );
}
