import { TextField, type TextFieldProps } from './field.tsx';

interface AmountFieldProps extends Omit<TextFieldProps, 'inputMode' | 'onChange'> {
  onChange(text: string): void;
}

/** US dollars as decimal text; `isAmount` judges it. */
export function AmountField({ onChange, ...rest }: AmountFieldProps) {
  return (
    <TextField {...rest} inputMode="decimal" onChange={(event) => onChange(event.target.value.trim())} />
  );
}
