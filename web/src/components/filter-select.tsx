import { Select, type SelectProps } from './select.tsx';

interface FilterSelectProps<Value extends string>
  extends Pick<SelectProps<Value>, 'label' | 'options' | 'className'> {
  /** What is chosen when nothing is left out: “All states”. */
  readonly allLabel: string;
  readonly value: Value | undefined;
  onChange(value: NoInfer<Value> | undefined): void;
}

const all = 'all';

/** What a list is narrowed to: one of a few values, or undefined for all of them. */
export function FilterSelect<Value extends string>({
  allLabel,
  value,
  options,
  onChange,
  ...rest
}: FilterSelectProps<Value>) {
  return (
    <Select<Value | typeof all>
      {...rest}
      isLabelHidden
      size="sm"
      value={value ?? all}
      options={[{ value: all, label: allLabel }, ...options]}
      onChange={(next) => onChange(next === all ? undefined : next)}
    />
  );
}
