import type { KeyKind } from '../../api/keys.ts';
import { useSession } from '../../api/session.ts';
import { Button } from '../../components/button.tsx';
import { CodeBlock } from '../../components/code-block.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { keysMessages } from './keys-messages.ts';

export interface CreatedKey {
  readonly kind: KeyKind;
  readonly secret: string;
}

/** Shows a new key for the one time that it can be shown, with a call that works. */
export function CreatedKeyDialog({ created, onClose }: { readonly created: CreatedKey; onClose(): void }) {
  const t = useMessages(keysMessages);
  const address = useSession()?.server.public_url ?? window.location.origin;
  return (
    <Dialog
      isOpen
      onOpenChange={onClose}
      title={t('createdTitle')}
      description={t('createdText')}
      size="lg"
      footer={
        <Button variant="primary" onClick={onClose}>
          {t('done')}
        </Button>
      }
    >
      <div className="flex flex-col gap-4">
        <div className="flex items-center gap-2 rounded-lg border border-line-strong bg-sunken py-2 pr-2 pl-3">
          <code data-testid="new-key" className="min-w-0 flex-1 font-mono text-xs break-all">
            {created.secret}
          </code>
          <CopyButton text={created.secret}>{t('copyKey')}</CopyButton>
        </div>
        <CodeBlock
          title={t('tryIt')}
          language="bash"
          code={
            created.kind === 'regular' ? chatCall(address, created.secret) : keyCall(address, created.secret)
          }
        />
      </div>
    </Dialog>
  );
}

const chatCall = (address: string, key: string): string => `curl ${address}/v1/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "moonshot/kimi-k2-turbo-preview", "messages": [{"role": "user", "content": "Hello"}]}'`;

const keyCall = (address: string, key: string): string => `curl ${address}/v1/keys \\
  -H "Authorization: Bearer ${key}"`;
