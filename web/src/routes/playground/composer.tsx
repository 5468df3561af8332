import { ArrowUp, Globe, Square } from 'lucide-react';
import { type FormEvent, type KeyboardEvent, useId, useRef, useState } from 'react';
import { IconButton } from '../../components/button.tsx';
import { cx } from '../../components/cx.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { playgroundMessages } from './playground-messages.ts';
import { settingsMessages } from './settings-messages.ts';

interface ComposerProps {
  readonly modelName: string;
  readonly isBusy: boolean;
  readonly isWebSearchOn: boolean;
  onToggleWebSearch(): void;
  /** False when it was not taken: the text stays. */
  onSend(text: string): boolean;
  onStop(): void;
}

/** Where the next message is written. Enter sends, with Shift it begins a new line, Escape stops the answer. */
export function Composer({
  modelName,
  isBusy,
  isWebSearchOn,
  onToggleWebSearch,
  onSend,
  onStop,
}: ComposerProps) {
  const t = useMessages(playgroundMessages);
  const ts = useMessages(settingsMessages);
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState('');
  const canSend = text.trim() !== '' && !isBusy;
  const submit = (event?: FormEvent): void => {
    event?.preventDefault();
    if (!canSend) return;
    if (onSend(text.trim())) setText('');
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // While an input method composes (Chinese, Japanese), Enter chooses a word.
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      submit();
    } else if (event.key === 'Escape' && isBusy) onStop();
  };
  const label = t('placeholder', { model: modelName });
  return (
    <form onSubmit={submit} className="mx-auto w-full max-w-3xl px-4 pb-4 sm:px-6">
      <div className="rounded-xl border border-control/60 bg-surface shadow-sm transition-colors focus-within:border-accent">
        <label htmlFor={id} className="sr-only">
          {label}
        </label>
        <textarea
          ref={field}
          id={id}
          rows={1}
          // biome-ignore lint/a11y/noAutofocus: writing is what this page is for, and it holds nothing above to miss.
          autoFocus
          value={text}
          placeholder={label}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          className="field-sizing-content block max-h-[40dvh] min-h-11 w-full resize-none bg-transparent px-3.5 pt-3 pb-1 text-base focus-visible:outline-hidden"
        />
        <div className="flex items-center justify-between gap-2 px-2 pb-2">
          <button
            type="button"
            aria-pressed={isWebSearchOn}
            onClick={onToggleWebSearch}
            className={cx(
              'flex h-8 items-center gap-1.5 rounded-full border px-3 text-xs font-medium transition-colors',
              isWebSearchOn
                ? 'border-accent bg-accent-soft text-accent'
                : 'border-line text-muted hover:bg-hover hover:text-text',
            )}
          >
            <Globe size={14} aria-hidden />
            {ts('webSearch')}
          </button>
          {isBusy ? (
            <IconButton
              label={t('stop')}
              shortcut="escape"
              variant="secondary"
              className="!rounded-full"
              onClick={onStop}
            >
              <Square size={12} aria-hidden fill="currentColor" />
            </IconButton>
          ) : (
            <IconButton
              label={t('send')}
              shortcut="enter"
              type="submit"
              variant="primary"
              disabled={!canSend}
              className="!rounded-full"
            >
              <ArrowUp size={16} aria-hidden />
            </IconButton>
          )}
        </div>
      </div>
    </form>
  );
}
