import { Tabs as Base } from '@base-ui/react/tabs';
import type { ReactNode } from 'react';

export interface TabItem<Value extends string> {
  readonly value: Value;
  readonly label: ReactNode;
  readonly content: ReactNode;
}

/** Views of one thing beside each other; arrow keys move between them. */
export function Tabs<Value extends string>({
  label,
  items,
  value,
  onChange,
  aside,
}: {
  /** What the tabs are about, read aloud. */
  readonly label: string;
  readonly items: readonly TabItem<Value>[];
  readonly value: Value;
  onChange(value: NoInfer<Value>): void;
  /** Right of the tabs. */
  readonly aside?: ReactNode;
}) {
  return (
    <Base.Root value={value} onValueChange={onChange} className="flex min-h-0 flex-col">
      <div className="flex items-center justify-between gap-2 border-b border-line">
        <Base.List aria-label={label} className="relative flex gap-1 overflow-x-auto">
          {items.map((item) => (
            <Base.Tab
              key={item.value}
              value={item.value}
              className="h-9 px-2.5 text-sm font-medium whitespace-nowrap text-muted select-none hover:text-text focus-visible:-outline-offset-2 data-active:text-text"
            >
              {item.label}
            </Base.Tab>
          ))}
          <Base.Indicator className="absolute bottom-0 left-0 h-0.5 w-[var(--active-tab-width)] translate-x-[var(--active-tab-left)] rounded-full bg-accent transition-[translate,width] duration-150 ease-out" />
        </Base.List>
        {aside}
      </div>
      {items.map((item) => (
        <Base.Panel key={item.value} value={item.value} className="min-h-0 flex-1 outline-offset-2">
          {item.content}
        </Base.Panel>
      ))}
    </Base.Root>
  );
}
