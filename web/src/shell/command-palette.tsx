/** Every page and action, found by typing (⌘K). */
import { Autocomplete } from '@base-ui/react/autocomplete';
import { Dialog } from '@base-ui/react/dialog';
import { Search } from 'lucide-react';
import { useState } from 'react';
import { Shortcut } from '../components/shortcut.tsx';
import { useMessages } from '../i18n/language-context.tsx';
import { shellMessages } from './shell-messages.ts';
import { type Command, type CommandGroup, useCommands } from './use-commands.ts';

export function CommandPalette({ onClose }: { onClose(): void }) {
  const t = useMessages(shellMessages);
  const [text, setText] = useState('');
  const groups = useCommands();
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 bg-[oklch(0_0_0/0.35)]" />
        <Dialog.Viewport className="fixed inset-0 flex items-start justify-center p-3 pt-[10vh]">
          <Dialog.Popup
            aria-label={t('palette')}
            className="flex max-h-[70vh] w-full max-w-xl flex-col overflow-hidden rounded-xl border border-line bg-raised shadow-lg"
          >
            <Autocomplete.Root
              open
              inline
              items={groups}
              autoHighlight="always"
              keepHighlight
              onValueChange={setText}
              itemToStringValue={(command: Command) => command.label}
            >
              <div className="flex items-center gap-2.5 border-b border-line px-4">
                <Search size={16} aria-hidden className="text-faint" />
                <Autocomplete.Input
                  aria-label={t('palette')}
                  placeholder={t('paletteHint')}
                  className="h-12 flex-1 bg-transparent text-base outline-hidden focus-visible:outline-hidden"
                />
                <Shortcut keys="escape" />
              </div>
              <Autocomplete.Empty>
                <div className="px-4 py-8 text-center text-sm text-muted empty:hidden">
                  {t('paletteEmpty', { text })}
                </div>
              </Autocomplete.Empty>
              <Autocomplete.List className="min-h-0 flex-1 overflow-y-auto p-1.5 data-empty:p-0">
                {(group: CommandGroup) => (
                  <Autocomplete.Group key={group.label} items={group.items} className="pb-1.5">
                    <Autocomplete.GroupLabel className="px-2.5 pt-2 pb-1 text-2xs font-medium text-faint">
                      {group.label}
                    </Autocomplete.GroupLabel>
                    <Autocomplete.Collection>
                      {(command: Command) => (
                        <Autocomplete.Item
                          key={command.id}
                          value={command}
                          onClick={() => {
                            onClose();
                            command.run();
                          }}
                          className="flex h-9 items-center gap-2.5 rounded-md px-2.5 text-sm select-none data-highlighted:bg-hover"
                        >
                          <command.icon size={16} aria-hidden className="text-muted" />
                          <span className="flex-1 truncate">{command.label}</span>
                          {command.shortcut !== undefined && <Shortcut keys={command.shortcut} />}
                        </Autocomplete.Item>
                      )}
                    </Autocomplete.Collection>
                  </Autocomplete.Group>
                )}
              </Autocomplete.List>
            </Autocomplete.Root>
          </Dialog.Popup>
        </Dialog.Viewport>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
