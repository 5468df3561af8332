import { RotateCcw } from 'lucide-react';
import { useId } from 'react';
import { IconButton } from '../../components/button.tsx';
import { cx } from '../../components/cx.ts';
import { controlClass } from '../../components/field.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import type { Parameter } from './settings.ts';
import { settingsMessages } from './settings-messages.ts';

/** Above this span a slider cannot be aimed, and only the number field is shown. */
const sliderSpanMax = 100;

/** A number with its range: as a slider and as text. Empty = not sent, the server's default holds. */
export function ParameterField({
  parameter,
  value,
  onChange,
}: {
  readonly parameter: Parameter;
  readonly value: number | undefined;
  onChange(value: number | undefined): void;
}) {
  const t = useMessages(settingsMessages);
  const id = useId();
  const { name, min, max, step, serverDefault } = parameter;
  const hasSlider = max - min <= sliderSpanMax;
  const clamp = (next: number): number => Math.min(max, Math.max(min, next));
  const change = (text: string): void => {
    const next = Number(text);
    onChange(
      text.trim() === '' || Number.isNaN(next) ? undefined : clamp(step >= 1 ? Math.trunc(next) : next),
    );
  };
  return (
    <div className="flex flex-col gap-1">
      <div className="flex h-7 items-center gap-2">
        <label htmlFor={id} className="flex-1 truncate text-sm font-medium">
          {t(name)}
        </label>
        {value !== undefined && (
          <IconButton
            size="sm"
            label={t('useDefault', { name: t(name) })}
            onClick={() => onChange(undefined)}
          >
            <RotateCcw size={12} aria-hidden />
          </IconButton>
        )}
        <input
          id={id}
          type="number"
          inputMode="decimal"
          min={hasSlider ? min : undefined}
          max={hasSlider ? max : undefined}
          step={hasSlider ? step : 1}
          value={value ?? ''}
          placeholder={serverDefault === undefined ? '–' : String(serverDefault)}
          aria-describedby={`${id}-hint`}
          onChange={(event) => change(event.target.value)}
          className={cx(
            controlClass,
            'numeric h-7 !w-20 px-2 text-right text-sm [appearance:textfield] [&::-webkit-inner-spin-button]:appearance-none',
          )}
        />
      </div>
      {hasSlider && (
        <input
          type="range"
          aria-label={t(name)}
          min={min}
          max={max}
          step={step}
          value={value ?? serverDefault ?? min}
          onChange={(event) => change(event.target.value)}
          className={cx('range w-full', value === undefined && 'opacity-60')}
        />
      )}
      <p id={`${id}-hint`} className="text-xs text-faint">
        {t(`${name}Hint`)}
      </p>
    </div>
  );
}
