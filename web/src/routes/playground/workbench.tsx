/** The open playground: toolbar, one or two columns of messages, settings beside them, and the composer. */
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import type { StoredConversation } from '../../api/conversations.ts';
import { findModel } from '../../api/models.ts';
import { useRefreshSession } from '../../api/session.ts';
import type { Model } from '../../api/wire-types.ts';
import { Button } from '../../components/button.tsx';
import { cx } from '../../components/cx.ts';
import { Notice } from '../../components/notice.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { writePreference } from '../../preferences.ts';
import { useShortcuts } from '../../shell/use-shortcuts.ts';
import { Composer } from './composer.tsx';
import type { AnswerNode, Conversation } from './conversation.ts';
import { dialogMessages } from './dialog-messages.ts';
import { playgroundMessages } from './playground-messages.ts';
import { SettingsAside } from './settings-aside.tsx';
import { settingsMessages } from './settings-messages.ts';
import { Toolbar } from './toolbar.tsx';
import { type Playground, type ThreadIndex, usePlayground } from './use-playground.ts';
import { type Saving, useSaving } from './use-saving.ts';
import { Welcome } from './welcome.tsx';
import { loadDialog, type OpenDialog, WorkbenchDialogs } from './workbench-dialogs.tsx';

/** A new conversation begins without messages, and asks for their views while its first is written. */
const ThreadColumn = lazy(async () => ({ default: (await import('./thread-column.tsx')).ThreadColumn }));

interface WorkbenchProps {
  readonly initial: Conversation;
  readonly stored: StoredConversation | undefined;
  readonly models: readonly Model[];
  onCreated(stored: StoredConversation): void;
  onNew(): void;
}

export function Workbench({ initial, stored, models, onCreated, onNew }: WorkbenchProps) {
  const t = useMessages(playgroundMessages);
  const refreshSession = useRefreshSession();
  const [opened, setOpened] = useState<OpenDialog>();
  const open = useCallback((dialog: OpenDialog): void => {
    loadDialog(dialog);
    setOpened(dialog);
  }, []);
  const showRaw = useCallback((answer: AnswerNode): void => open({ type: 'raw', answer }), [open]);
  const [isSettingsOpen, setIsSettingsOpen] = useState(false);
  const [active, setActive] = useState<ThreadIndex>(0);
  const current = useRef(initial);
  const saving = useSaving({
    initial: stored,
    current: () => current.current,
    untitled: t('untitled'),
    onCreated,
  });
  const playground = usePlayground({
    initial,
    onAnswered: (conversation) => {
      current.current = conversation;
      saving.save();
      // The answer was charged: the balance in the side bar is another.
      void refreshSession();
    },
  });
  const { conversation } = playground;
  useEffect(() => {
    current.current = conversation;
    writePreference('playground', JSON.stringify(conversation.threads[0].settings));
  }, [conversation]);
  useShortcuts({
    'mod+shift+o': onNew,
    'mod+shift+c': () => open({ type: 'code' }),
    escape: () => playground.stop(),
  });

  const isComparing = conversation.threads.length === 2;
  const shownIndex = isComparing ? active : 0;
  const thread = conversation.threads[shownIndex] ?? conversation.threads[0];
  const { settings } = thread;
  const isBusy = playground.isBusy(0) || playground.isBusy(1);
  const modelName = settings.model.split('/').at(-1) ?? settings.model;
  return (
    <div className="flex h-full min-h-0">
      <div className="flex min-w-0 flex-1 flex-col">
        <Toolbar
          title={saving.stored?.title}
          isSaving={saving.state === 'saving'}
          isComparing={isComparing}
          onNew={onNew}
          onHistory={() => open({ type: 'history' })}
          onShare={() => open({ type: 'share' })}
          onCode={() => open({ type: 'code' })}
          onCompare={() => (isComparing ? playground.keepOnly(0) : playground.compare())}
          onSettings={() => setIsSettingsOpen(true)}
        />
        <SavingNote saving={saving} />
        <Columns
          playground={playground}
          active={active}
          models={models}
          onActivate={setActive}
          onShowRaw={showRaw}
        />
        <FaultNote playground={playground} />
        <Composer
          modelName={modelName}
          isBusy={isBusy}
          isWebSearchOn={settings.isWebSearchOn}
          onToggleWebSearch={() =>
            playground.changeSettings(shownIndex, { isWebSearchOn: !settings.isWebSearchOn })
          }
          onSend={playground.send}
          onStop={() => playground.stop()}
        />
      </div>
      <SettingsAside
        index={isComparing ? active : undefined}
        isOpen={isSettingsOpen}
        settings={settings}
        models={models}
        onClose={() => setIsSettingsOpen(false)}
        onChange={(change) => playground.changeSettings(shownIndex, change)}
      />
      <WorkbenchDialogs
        opened={opened}
        thread={thread}
        playground={playground}
        saving={saving}
        onClose={() => setOpened(undefined)}
        onNew={onNew}
      />
    </div>
  );
}

interface ColumnsProps {
  readonly playground: Playground;
  readonly active: ThreadIndex;
  readonly models: readonly Model[];
  onActivate(index: ThreadIndex): void;
  onShowRaw(answer: AnswerNode): void;
}

function Columns({ playground, active, models, onActivate, onShowRaw }: ColumnsProps) {
  const { threads } = playground.conversation;
  const [first, second] = threads;
  if (second === undefined && Object.keys(first.nodes).length === 0) {
    return (
      <Welcome
        modelName={first.settings.model.split('/').at(-1) ?? first.settings.model}
        model={findModel(models, first.settings.model)}
        onSend={playground.send}
      />
    );
  }
  return (
    <div
      className={cx(
        'flex min-h-0 flex-1',
        second !== undefined && 'divide-x divide-line max-md:flex-col max-md:divide-x-0 max-md:divide-y',
      )}
    >
      {threads.map((thread, position) => {
        const index: ThreadIndex = position === 0 ? 0 : 1;
        return (
          <Suspense key={index} fallback={<div className="flex-1" />}>
            <ThreadColumn
              index={index}
              thread={thread}
              playground={playground}
              isComparing={second !== undefined}
              isActive={index === active}
              onActivate={() => onActivate(index)}
              onShowRaw={onShowRaw}
            />
          </Suspense>
        );
      })}
    </div>
  );
}

function FaultNote({ playground }: { readonly playground: Playground }) {
  const t = useMessages(settingsMessages);
  const { fault } = playground;
  if (fault === undefined) return null;
  return (
    <div className="mx-auto w-full max-w-3xl px-4 pb-2 sm:px-6">
      <Notice tone="danger">
        {t(fault.editor === 'schema' ? 'faultSchema' : 'faultTools', { text: fault.message })}
      </Notice>
    </div>
  );
}

function SavingNote({ saving }: { readonly saving: Saving }) {
  const t = useMessages(dialogMessages);
  if (saving.state !== 'conflict' && saving.state !== 'failed') return null;
  return (
    <div className="px-4 pt-3">
      <Notice tone="warning">
        <div className="flex flex-wrap items-center gap-2">
          <span className="min-w-0 flex-1">
            {saving.state === 'conflict' ? t('saveConflict') : t('saveFailed', { text: saving.error ?? '' })}
          </span>
          {saving.state === 'conflict' && (
            <>
              <Button size="sm" onClick={() => window.location.reload()}>
                {t('reload')}
              </Button>
              <Button size="sm" onClick={saving.saveAsCopy}>
                {t('saveCopy')}
              </Button>
            </>
          )}
        </div>
      </Notice>
    </div>
  );
}
