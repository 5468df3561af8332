import { Select as Base } from '@base-ui/react/select';
import { Check, ChevronsUpDown } from 'lucide-react';
import { cx } from './cx.ts';
import { controlClass } from './field.tsx';

export interface SelectOption<Value extends string> {
  readonly value: Value;
  readonly label: string;
  /** A second, quieter line in the list. */
  readonly detail?: string;
}

export interface SelectProps<Value extends string> {
  readonly label: string;
  readonly isLabelHidden?: boolean;
  readonly value: Value;
  readonly options: readonly SelectOption<NoInfer<Value>>[];
  onChange(value: NoInfer<Value>): void;
  readonly disabled?: boolean;
  readonly size?: 'sm' | 'md';
  readonly className?: string;
}

/** One of a few values. */
export function Select<Value extends string>({
  label,
  isLabelHidden = false,
  value,
  options,
  onChange,
  disabled,
  size = 'md',
  className,
}: SelectProps<Value>) {
  return (
    <div className={cx('flex min-w-0 flex-col gap-1.5', className)}>
      <Base.Root
        items={options}
        value={value}
        disabled={disabled}
        onValueChange={(next) => next !== null && onChange(next)}
      >
        <Base.Label className={isLabelHidden ? 'sr-only' : 'text-sm font-medium text-text'}>
          {label}
        </Base.Label>
        <Base.Trigger
          className={cx(
            controlClass,
            'flex items-center justify-between gap-2 text-left select-none data-popup-open:border-accent',
            size === 'sm' ? 'h-8 text-sm' : 'h-9',
          )}
        >
          <Base.Value className="truncate" />
          <Base.Icon className="text-faint">
            <ChevronsUpDown size={14} aria-hidden />
          </Base.Icon>
        </Base.Trigger>
        <SelectList options={options} />
      </Base.Root>
    </div>
  );
}

function SelectList({ options }: { readonly options: readonly SelectOption<string>[] }) {
  return (
    <Base.Portal>
      <Base.Positioner sideOffset={4} alignItemWithTrigger={false} className="z-10 outline-hidden">
        <Base.Popup className="popup min-w-[var(--anchor-width)] rounded-lg border border-line bg-raised p-1 shadow-lg">
          <Base.List className="max-h-[min(20rem,var(--available-height))] overflow-y-auto">
            {options.map((option) => (
              <Base.Item
                key={option.value}
                value={option.value}
                className="grid grid-cols-[1rem_1fr] items-start gap-2 rounded-md py-1.5 pr-3 pl-2 select-none data-highlighted:bg-hover"
              >
                <Base.ItemIndicator className="col-start-1 flex h-5 items-center text-accent">
                  <Check size={14} aria-hidden />
                </Base.ItemIndicator>
                <div className="col-start-2 min-w-0">
                  <Base.ItemText>{option.label}</Base.ItemText>
                  {option.detail !== undefined && <div className="text-xs text-faint">{option.detail}</div>}
                </div>
              </Base.Item>
            ))}
          </Base.List>
        </Base.Popup>
      </Base.Positioner>
    </Base.Portal>
  );
}
