import { type ReactNode, useId } from 'react';
import { useMessages } from '../i18n/language-context.tsx';
import { Button } from './button.tsx';
import { componentMessages } from './component-messages.ts';
import { Dialog, type DialogProps } from './dialog.tsx';
import { Notice } from './notice.tsx';

interface FormDialogProps extends Pick<DialogProps, 'title' | 'description'> {
  /** Names what the form does: “Create key”. */
  readonly action: string;
  /** What submitting runs, as `useMutation` gives it. */
  readonly save: { readonly isPending: boolean; mutate(): void };
  /** Why it failed, where no field of the form says it. */
  readonly failure: string | undefined;
  /** A field says what is wrong: submitting does nothing. */
  readonly isWrong?: boolean;
  onClose(): void;
  readonly children: ReactNode;
}

/** A form over the page: its fields, and below them cancel and the one button that submits. */
export function FormDialog(props: FormDialogProps) {
  const { title, description, action, save, failure, isWrong = false, onClose, children } = props;
  const t = useMessages(componentMessages);
  const formId = useId();
  return (
    <Dialog
      isOpen
      onOpenChange={onClose}
      title={title}
      description={description}
      footer={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" form={formId} variant="primary" isBusy={save.isPending}>
            {action}
          </Button>
        </>
      }
    >
      <form
        id={formId}
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isWrong) save.mutate();
        }}
      >
        {failure !== undefined && <Notice tone="danger">{failure}</Notice>}
        {children}
      </form>
    </Dialog>
  );
}
