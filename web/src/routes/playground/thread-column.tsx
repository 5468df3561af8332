import { SlidersHorizontal } from 'lucide-react';
import { Button, IconButton } from '../../components/button.tsx';
import { cx } from '../../components/cx.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import type { AnswerNode, Thread } from './conversation.ts';
import { describeSettings } from './describe-settings.ts';
import { dialogMessages } from './dialog-messages.ts';
import { settingsMessages } from './settings-messages.ts';
import { ThreadView } from './thread-view.tsx';
import type { Playground, ThreadIndex } from './use-playground.ts';

interface ThreadColumnProps {
  readonly index: ThreadIndex;
  readonly thread: Thread;
  readonly playground: Playground;
  readonly isComparing: boolean;
  /** Its settings are the shown ones. */
  readonly isActive: boolean;
  onActivate(): void;
  onShowRaw(answer: AnswerNode): void;
}

/** A conversation, and when two are compared, above it what it was made with. */
export function ThreadColumn({
  index,
  thread,
  playground,
  isComparing,
  isActive,
  onActivate,
  onShowRaw,
}: ThreadColumnProps) {
  const td = useMessages(dialogMessages);
  const ts = useMessages(settingsMessages);
  const other = playground.conversation.threads[index === 0 ? 1 : 0] ?? thread;
  const title = describeSettings(thread.settings, other.settings);
  return (
    <section className="flex min-h-0 min-w-0 flex-1 flex-col">
      {isComparing && (
        <header
          className={cx(
            'flex h-10 shrink-0 items-center gap-2 border-b border-line px-3 text-xs',
            isActive ? 'bg-accent-soft' : 'bg-sunken',
          )}
        >
          <IconButton
            size="sm"
            label={ts('settingsOf', { index: index + 1 })}
            aria-pressed={isActive}
            onClick={onActivate}
          >
            <SlidersHorizontal size={13} aria-hidden />
          </IconButton>
          <span className="min-w-0 flex-1 truncate font-medium" title={title}>
            {title}
          </span>
          <Button size="sm" variant="ghost" onClick={() => playground.keepOnly(index)}>
            {td('keepColumn')}
          </Button>
        </header>
      )}
      <ThreadView thread={thread} index={index} playground={playground} onShowRaw={onShowRaw} />
    </section>
  );
}
