import { X } from 'lucide-react';
import { lazy, Suspense, useEffect, useRef } from 'react';
import type { Model } from '../../api/wire-types.ts';
import { IconButton } from '../../components/button.tsx';
import { Skeleton } from '../../components/states.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import type { Settings } from './settings.ts';
import { settingsMessages } from './settings-messages.ts';
import { useIsWide } from './use-is-wide.ts';

const SettingsPanel = lazy(async () => ({ default: (await import('./settings-panel.tsx')).SettingsPanel }));

interface SettingsAsideProps {
  /** The column that is set up; undefined when there is only one. */
  readonly index: number | undefined;
  readonly isOpen: boolean;
  readonly settings: Settings;
  readonly models: readonly Model[];
  onClose(): void;
  onChange(change: Partial<Settings>): void;
}

/** Beside the conversation from 1280 px on; below that a sheet over it. */
export function SettingsAside({ index, isOpen, settings, models, onClose, onChange }: SettingsAsideProps) {
  const t = useMessages(settingsMessages);
  const isWide = useIsWide();
  const title = index === undefined ? t('settings') : t('settingsOf', { index: index + 1 });
  const panel = (
    <Suspense fallback={<SettingsSkeleton />}>
      <SettingsPanel settings={settings} models={models} onChange={onChange} />
    </Suspense>
  );
  if (isWide) {
    return (
      <aside aria-label={title} className="flex w-80 shrink-0 flex-col border-l border-line bg-surface">
        <h2 className="flex h-13 shrink-0 items-center border-b border-line px-4 text-sm font-medium">
          {title}
        </h2>
        <div className="min-h-0 flex-1 overflow-y-auto px-4 pt-3 pb-8">{panel}</div>
      </aside>
    );
  }
  return (
    isOpen && (
      <SettingsSheet title={title} onClose={onClose}>
        {panel}
      </SettingsSheet>
    )
  );
}

function SettingsSheet({
  title,
  onClose,
  children,
}: {
  readonly title: string;
  onClose(): void;
  readonly children: React.ReactNode;
}) {
  const t = useMessages(settingsMessages);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      aria-label={title}
      onClose={onClose}
      onClick={(event) => event.target === event.currentTarget && onClose()}
      onKeyDown={(event) => event.key === 'Escape' && event.target === event.currentTarget && onClose()}
      className="m-0 ml-auto h-dvh max-h-none w-96 max-w-full border-l border-line bg-surface text-text backdrop:bg-[oklch(0_0_0/0.4)]"
    >
      <div className="flex h-full flex-col">
        <header className="flex h-13 shrink-0 items-center justify-between border-b border-line pr-2 pl-4">
          <h2 className="text-sm font-medium">{title}</h2>
          <IconButton label={t('close')} onClick={onClose}>
            <X size={16} aria-hidden />
          </IconButton>
        </header>
        <div className="min-h-0 flex-1 overflow-y-auto px-4 pt-3 pb-8">{children}</div>
      </div>
    </dialog>
  );
}

function SettingsSkeleton() {
  return (
    <div className="flex flex-col gap-5 pt-1">
      {['h-9', 'h-24', 'h-12', 'h-12', 'h-12'].map((height, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: grey lines have no identity and never move.
        <div key={row} className="flex flex-col gap-2">
          <Skeleton className="h-4 w-24" />
          <Skeleton className={height} />
        </div>
      ))}
    </div>
  );
}
