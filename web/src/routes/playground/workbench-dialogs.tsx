/** The dialogs over the playground. Each comes with a script of its own when it is first opened. */
import { CatchBoundary } from '@tanstack/react-router';
import { Suspense } from 'react';
import { showToast } from '../../components/toast.tsx';
import { lazyView } from '../../shell/lazy-view.ts';
import type { AnswerNode, Thread } from './conversation.ts';
import type { Playground } from './use-playground.ts';
import type { Saving } from './use-saving.ts';

const CodeDialog = lazyView(() => import('./code-dialog.tsx'), 'CodeDialog');
const RawDialog = lazyView(() => import('./raw-dialog.tsx'), 'RawDialog');
const HistoryDialog = lazyView(() => import('./history-dialog.tsx'), 'HistoryDialog');
const ShareDialog = lazyView(() => import('./share-dialog.tsx'), 'ShareDialog');

const dialogs = { code: CodeDialog, history: HistoryDialog, share: ShareDialog, raw: RawDialog };

export type OpenDialog =
  | { readonly type: 'code' | 'history' | 'share' }
  | { readonly type: 'raw'; readonly answer: AnswerNode };

/** To be called as a dialog is opened: a script that did not come the last time is asked for again. */
export function loadDialog({ type }: OpenDialog): void {
  void dialogs[type].preload?.();
}

interface WorkbenchDialogsProps {
  readonly opened: OpenDialog | undefined;
  /** The column that has the focus. */
  readonly thread: Thread;
  readonly playground: Playground;
  readonly saving: Saving;
  onClose(): void;
  onNew(): void;
}

export function WorkbenchDialogs(props: WorkbenchDialogsProps) {
  const { opened, thread, playground, saving, onClose, onNew } = props;
  // One that cannot be loaded must not take the conversation with it, which may not be saved.
  return (
    <CatchBoundary
      getResetKey={() => (opened?.type === 'raw' ? opened.answer.id : (opened?.type ?? ''))}
      errorComponent={() => null}
      onCatch={(error) => {
        showToast(error instanceof Error ? error.message : String(error), 'danger');
        onClose();
      }}
    >
      <Suspense>
        {opened?.type === 'code' && <CodeDialog thread={thread} onClose={onClose} />}
        {opened?.type === 'history' && (
          <HistoryDialog openId={saving.stored?.id} onClose={onClose} onNew={onNew} />
        )}
        {opened?.type === 'share' && (
          <ShareDialog conversation={playground.conversation} saving={saving} onClose={onClose} />
        )}
        {opened?.type === 'raw' && (
          <RawDialog
            answer={opened.answer}
            chunks={playground.chunksOf(opened.answer.id)}
            onClose={onClose}
          />
        )}
      </Suspense>
    </CatchBoundary>
  );
}
