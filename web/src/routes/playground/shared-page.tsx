import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { sharedConversationQuery } from '../../api/conversations.ts';
import { buttonClass } from '../../components/button.tsx';
import { usePageTitle } from '../../components/page.tsx';
import { EmptyState, SkeletonRows } from '../../components/states.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { LogoMark } from '../../shell/logo.tsx';
import { AnswerView } from './answer-view.tsx';
import { type AnswerNode, type Conversation, type ConversationNode, pathOf } from './conversation.ts';
import { dialogMessages } from './dialog-messages.ts';
import { RawDialog } from './raw-dialog.tsx';
import { ToolResults } from './thread-view.tsx';
import { UserMessage } from './user-message.tsx';

/** `/shared/$shareId`: a conversation that its owner made public. Read only, without sign-in. */
export function SharedPage() {
  const t = useMessages(dialogMessages);
  const { date } = useFormats();
  const { shareId } = useParams({ from: '/shared/$shareId' });
  const shared = useQuery(sharedConversationQuery(shareId));
  const conversation = useConversation(shared.data?.content);
  usePageTitle(shared.data?.title ?? t('shared'));
  return (
    <main className="mx-auto min-h-dvh w-full max-w-3xl px-4 pt-8 pb-16 sm:px-6">
      {shared.isPending && <SkeletonRows />}
      {shared.isError && <EmptyState title={t('sharedGone')} />}
      {shared.data !== undefined && conversation !== undefined && (
        <>
          <header className="mb-8 flex flex-wrap items-center gap-3 border-b border-line pb-4">
            <LogoMark size={28} />
            <div className="min-w-0 flex-1 basis-56">
              <h1 className="text-lg font-semibold">{shared.data.title}</h1>
              <p className="text-xs text-faint">{t('sharedBy', { date: date(shared.data.updated_at) })}</p>
            </div>
            <Link to="/playground" className={buttonClass('secondary', 'sm')}>
              {t('sharedOpen')}
            </Link>
          </header>
          <SharedMessages conversation={conversation} />
        </>
      )}
    </main>
  );
}

function useConversation(content: unknown): Conversation | undefined {
  const [conversation, setConversation] = useState<Conversation>();
  useEffect(() => {
    if (content === undefined) return;
    import('./read-conversation.ts').then(
      ({ readConversation }) => setConversation(readConversation(content)),
      () => setConversation(undefined),
    );
  }, [content]);
  return conversation;
}

const ignore = (): void => undefined;
const refuse = (): boolean => false;

function SharedMessages({ conversation }: { readonly conversation: Conversation }) {
  const [raw, setRaw] = useState<AnswerNode>();
  const show = (node: ConversationNode) => {
    if (node.role === 'tool') return <ToolResults key={node.id} node={node} />;
    const shared = { siblings: [node], onChoose: ignore, onRemove: ignore, isReadOnly: true };
    return node.role === 'user' ? (
      <UserMessage key={node.id} node={node} onEdit={refuse} {...shared} />
    ) : (
      <AnswerView
        key={node.id}
        answer={node}
        onRetry={ignore}
        onShowRaw={setRaw}
        onToolResults={undefined}
        {...shared}
      />
    );
  };
  return (
    <div className="flex flex-col gap-10">
      {conversation.threads.map((thread, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: at most two columns, which never change places.
        <div key={index} className="flex flex-col gap-5">
          {pathOf(thread).map(show)}
        </div>
      ))}
      {raw !== undefined && <RawDialog answer={raw} chunks={[]} onClose={() => setRaw(undefined)} />}
    </div>
  );
}
