import { X } from 'lucide-react';
import { type KeyboardEvent, useState } from 'react';
import { Button } from '../../components/button.tsx';
import { TextField } from '../../components/field.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { stopsMax } from './settings.ts';
import { settingsMessages } from './settings-messages.ts';

/** Sequences that end the answer. `\n` is written as two characters and means a line break. */
export function StopField({
  stops,
  onChange,
}: {
  readonly stops: readonly string[];
  onChange(stops: readonly string[]): void;
}) {
  const t = useMessages(settingsMessages);
  const [text, setText] = useState('');
  const canAdd = text !== '' && stops.length < stopsMax;
  const add = (): void => {
    const stop = text.replaceAll('\\n', '\n').replaceAll('\\t', '\t');
    if (!stops.includes(stop)) onChange([...stops, stop]);
    setText('');
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
    event.preventDefault();
    if (canAdd) add();
  };
  return (
    <div className="flex flex-col gap-2">
      <div className="flex items-start gap-2">
        <div className="flex-1">
          <TextField
            label={t('stop')}
            hint={t('stopHint', { count: stopsMax })}
            value={text}
            disabled={stops.length >= stopsMax}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={onKeyDown}
            className="font-mono text-xs"
          />
        </div>
        <Button className="mt-[26px] h-9" disabled={!canAdd} onClick={add}>
          {t('stopAdd')}
        </Button>
      </div>
      {stops.length > 0 && (
        <ul className="flex flex-wrap gap-1.5">
          {stops.map((stop) => (
            <li key={stop}>
              <button
                type="button"
                aria-label={t('stopRemove', { text: JSON.stringify(stop) })}
                onClick={() => onChange(stops.filter((each) => each !== stop))}
                className="flex h-6 items-center gap-1 rounded-sm bg-hover px-1.5 font-mono text-xs hover:bg-active"
              >
                {JSON.stringify(stop).slice(1, -1)}
                <X size={12} aria-hidden className="text-faint" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
