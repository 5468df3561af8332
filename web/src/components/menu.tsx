import { Menu as Base } from '@base-ui/react/menu';
import type { ReactElement, ReactNode } from 'react';
import { cx } from './cx.ts';
import { Shortcut } from './shortcut.tsx';

/** A list of actions behind a button. `trigger` is the button, `MenuItem`s are the children. */
export function Menu({
  trigger,
  children,
  align = 'end',
  side = 'bottom',
}: {
  /** One element that takes a ref, such as a `Button`. */
  readonly trigger: ReactElement;
  readonly children: ReactNode;
  readonly align?: 'start' | 'center' | 'end';
  readonly side?: 'top' | 'bottom';
}) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={4} align={align} side={side} className="z-10 outline-hidden">
          <Base.Popup className="popup max-h-[var(--available-height)] min-w-44 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-lg outline-hidden">
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

const itemClass =
  'flex min-h-8 items-center gap-2 rounded-md px-2 text-sm select-none outline-hidden data-highlighted:bg-hover data-disabled:opacity-50';

export function MenuItem({
  icon,
  shortcut,
  isDangerous = false,
  disabled,
  onSelect,
  children,
}: {
  readonly icon?: ReactNode;
  readonly shortcut?: string;
  readonly isDangerous?: boolean;
  readonly disabled?: boolean;
  onSelect(): void;
  readonly children: ReactNode;
}) {
  return (
    <Base.Item
      disabled={disabled}
      onClick={onSelect}
      className={cx(itemClass, isDangerous ? 'text-danger' : 'text-text')}
    >
      <span className={cx('flex w-4 justify-center', !isDangerous && 'text-muted')}>{icon}</span>
      <span className="flex-1">{children}</span>
      {shortcut !== undefined && <Shortcut keys={shortcut} />}
    </Base.Item>
  );
}

/** One of several that exclude each other. */
export function MenuRadioGroup<Value extends string>({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string;
  readonly value: Value;
  readonly options: readonly { readonly value: Value; readonly label: string; readonly icon?: ReactNode }[];
  onChange(value: Value): void;
}) {
  return (
    <Base.Group>
      <Base.GroupLabel className="px-2 pt-1.5 pb-1 text-2xs font-medium text-faint">{label}</Base.GroupLabel>
      <Base.RadioGroup value={value} onValueChange={onChange}>
        {options.map((option) => (
          <Base.RadioItem key={option.value} value={option.value} className={cx(itemClass, 'text-text')}>
            <span className="flex w-4 justify-center text-muted">{option.icon}</span>
            <span className="flex-1">{option.label}</span>
            <Base.RadioItemIndicator className="size-1.5 rounded-full bg-accent" />
          </Base.RadioItem>
        ))}
      </Base.RadioGroup>
    </Base.Group>
  );
}

export function MenuSeparator() {
  return <Base.Separator className="-mx-1 my-1 h-px bg-line" />;
}
