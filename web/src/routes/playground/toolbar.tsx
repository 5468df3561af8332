import { CodeXml, Columns2, History, Share2, SlidersHorizontal, SquarePen } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button, IconButton } from '../../components/button.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { dialogMessages } from './dialog-messages.ts';
import { playgroundMessages } from './playground-messages.ts';
import { settingsMessages } from './settings-messages.ts';

interface ToolbarProps {
  /** Undefined until the conversation is in the account. */
  readonly title: string | undefined;
  readonly isSaving: boolean;
  readonly isComparing: boolean;
  onNew(): void;
  onHistory(): void;
  onShare(): void;
  onCode(): void;
  onCompare(): void;
  onSettings(): void;
}

export function Toolbar(props: ToolbarProps) {
  const { title, isSaving, isComparing, onNew, onHistory, onShare, onCode, onCompare, onSettings } = props;
  const t = useMessages(playgroundMessages);
  const td = useMessages(dialogMessages);
  const ts = useMessages(settingsMessages);
  return (
    <header className="flex h-13 shrink-0 items-center gap-1 border-b border-line px-3">
      <IconButton label={t('newChat')} shortcut="mod+shift+o" onClick={onNew}>
        <SquarePen size={16} aria-hidden />
      </IconButton>
      <IconButton label={td('history')} onClick={onHistory}>
        <History size={16} aria-hidden />
      </IconButton>
      <h1 className="ml-1 min-w-0 flex-1 truncate text-sm font-medium">
        {title ?? t('title')}
        {isSaving && <span className="ml-2 text-xs font-normal text-faint">{td('saving')}</span>}
      </h1>
      <Wide
        label={isComparing ? td('compareStop') : td('compare')}
        isPressed={isComparing}
        onClick={onCompare}
      >
        <Columns2 size={15} aria-hidden />
      </Wide>
      <Wide label={td('share')} onClick={onShare}>
        <Share2 size={15} aria-hidden />
      </Wide>
      <Button size="sm" icon={<CodeXml size={14} aria-hidden />} className="ml-1" onClick={onCode}>
        <span className="max-sm:sr-only">{td('viewCode')}</span>
      </Button>
      <IconButton label={ts('settings')} className="xl:hidden" onClick={onSettings}>
        <SlidersHorizontal size={16} aria-hidden />
      </IconButton>
    </header>
  );
}

/** An icon with its word where there is room for it. */
function Wide({
  label,
  isPressed,
  onClick,
  children,
}: {
  readonly label: string;
  readonly isPressed?: boolean;
  onClick(): void;
  readonly children: ReactNode;
}) {
  return (
    <Button size="sm" variant="ghost" aria-pressed={isPressed} onClick={onClick}>
      {children}
      <span className="max-md:sr-only">{label}</span>
    </Button>
  );
}
