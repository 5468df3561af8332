import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { accountsMessages } from './accounts-messages.ts';

/** Shows a link that is made for one person and shown once. */
export function LinkDialog({
  title,
  text,
  url,
  onClose,
}: {
  readonly title: string;
  readonly text: string;
  readonly url: string;
  onClose(): void;
}) {
  const t = useMessages(accountsMessages);
  return (
    <Dialog
      isOpen
      onOpenChange={onClose}
      title={title}
      description={text}
      footer={
        <Button variant="primary" onClick={onClose}>
          {t('done')}
        </Button>
      }
    >
      <div className="flex items-center gap-2 rounded-lg border border-line-strong bg-sunken py-2 pr-2 pl-3">
        <code className="min-w-0 flex-1 font-mono text-xs break-all">{url}</code>
        <CopyButton text={url} />
      </div>
    </Dialog>
  );
}
