import { useSession } from '../../api/session.ts';
import { Dialog } from '../../components/dialog.tsx';
import { Notice } from '../../components/notice.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { baseUrlOf } from '../docs/base-url.ts';
import { CodeTabs } from '../docs/code-tabs.tsx';
import { writeCode } from '../docs/write-code.ts';
import { buildHeaders, buildRequest, SettingsFault } from './build-request.ts';
import { pathOf, type Thread } from './conversation.ts';
import { dialogMessages } from './dialog-messages.ts';

/** The conversation as it stands, as a program. */
export function CodeDialog({ thread, onClose }: { readonly thread: Thread; onClose(): void }) {
  const t = useMessages(dialogMessages);
  const baseUrl = baseUrlOf(useSession()?.server.public_url);
  const code = describeRequest(thread);
  return (
    <Dialog isOpen onOpenChange={onClose} size="lg" title={t('codeTitle')} description={t('codeText')}>
      {code instanceof SettingsFault ? (
        <Notice tone="danger">{code.message}</Notice>
      ) : (
        <CodeTabs
          label={t('codeLanguage')}
          title={`POST ${baseUrl}/chat/completions`}
          maxHeight="52vh"
          write={(language) => writeCode(language, code.body, { baseUrl, headers: code.headers })}
        />
      )}
    </Dialog>
  );
}

function describeRequest(thread: Thread) {
  const path = pathOf(thread);
  // A finished exchange is shown as the request that led to its last answer.
  const asked = path.at(-1)?.role === 'assistant' ? path.slice(0, -1) : path;
  const example = { id: '', parentId: undefined, role: 'user' as const, text: 'Hello' };
  try {
    return {
      body: buildRequest(thread.settings, asked.length === 0 ? [example] : asked),
      headers: buildHeaders(thread.settings),
    };
  } catch (error) {
    if (error instanceof SettingsFault) return error;
    throw error;
  }
}
