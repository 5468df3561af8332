import { Switch as Base } from '@base-ui/react/switch';
import { useId } from 'react';
import { cx } from './cx.ts';

/** On or off, at once. For a choice that a form submits later, use a checkbox. */
export function Switch({
  label,
  hint,
  checked,
  onChange,
  disabled,
  isLabelHidden = false,
}: {
  readonly label: string;
  readonly hint?: string;
  readonly checked: boolean;
  onChange(checked: boolean): void;
  readonly disabled?: boolean;
  readonly isLabelHidden?: boolean;
}) {
  const id = useId();
  return (
    <div className="flex items-start justify-between gap-3">
      <div className={cx('min-w-0', isLabelHidden && 'sr-only')}>
        <label htmlFor={id} id={`${id}-label`} className="text-sm font-medium text-text">
          {label}
        </label>
        {hint !== undefined && (
          <p id={`${id}-hint`} className="text-xs text-faint">
            {hint}
          </p>
        )}
      </div>
      <Base.Root
        id={id}
        checked={checked}
        disabled={disabled}
        onCheckedChange={onChange}
        aria-labelledby={`${id}-label`}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        className="relative mt-0.5 flex h-[18px] w-8 shrink-0 rounded-full bg-control p-0.5 transition-colors data-checked:bg-accent-fill data-disabled:opacity-55"
      >
        <Base.Thumb className="size-3.5 rounded-full bg-on-accent shadow-sm transition-transform duration-150 data-checked:translate-x-3.5" />
      </Base.Root>
    </div>
  );
}
