import {
  type InputHTMLAttributes,
  type ReactNode,
  type Ref,
  type TextareaHTMLAttributes,
  useId,
} from 'react';
import { cx } from './cx.ts';

const control =
  'w-full rounded-md border border-control/60 bg-surface px-2.5 text-text shadow-sm transition-colors ' +
  'hover:not-disabled:border-control focus:border-accent focus-visible:outline-offset-0 focus-visible:outline-1 ' +
  'disabled:opacity-60 aria-invalid:border-danger aria-invalid:focus-visible:outline-danger';

/** The look of a text field, for controls that are built from other elements. */
export const controlClass = control;

interface FieldFrameProps {
  readonly label: string;
  /** The label is read aloud but not shown: only where a heading or an icon says the same. */
  readonly isLabelHidden?: boolean;
  readonly hint?: ReactNode;
  /** What is wrong with the value, in words; it replaces the hint. */
  readonly error?: string | undefined;
  /** Right of the label, such as a link. */
  readonly aside?: ReactNode;
}

function FieldFrame({
  id,
  label,
  isLabelHidden = false,
  hint,
  error,
  aside,
  children,
}: FieldFrameProps & { readonly id: string; readonly children: ReactNode }) {
  return (
    <div className="flex min-w-0 flex-col gap-1.5">
      <div className={cx('flex items-baseline justify-between gap-2', isLabelHidden && 'sr-only')}>
        <label htmlFor={id} className="text-sm font-medium text-text">
          {label}
        </label>
        {aside}
      </div>
      {children}
      {(error !== undefined || hint !== undefined) && (
        <p id={`${id}-note`} className={cx('text-xs', error === undefined ? 'text-faint' : 'text-danger')}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

const describedBy = (id: string, { hint, error }: FieldFrameProps): string | undefined =>
  hint === undefined && error === undefined ? undefined : `${id}-note`;

export interface TextFieldProps
  extends FieldFrameProps,
    Omit<InputHTMLAttributes<HTMLInputElement>, 'id' | 'size'> {
  readonly size?: 'sm' | 'md';
  readonly ref?: Ref<HTMLInputElement>;
}

/** A line of text with its label, hint and error, which screen readers read together. */
export function TextField({
  label,
  isLabelHidden,
  hint,
  error,
  aside,
  size = 'md',
  className,
  ...rest
}: TextFieldProps) {
  const id = useId();
  const frame = { label, isLabelHidden, hint, error, aside };
  return (
    <FieldFrame id={id} {...frame}>
      <input
        {...rest}
        id={id}
        aria-invalid={error !== undefined || undefined}
        aria-describedby={describedBy(id, frame)}
        className={cx(control, size === 'sm' ? 'h-8' : 'h-9', className)}
      />
    </FieldFrame>
  );
}

export interface TextAreaProps
  extends FieldFrameProps,
    Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, 'id'> {
  readonly ref?: Ref<HTMLTextAreaElement>;
}

/** Several lines of text; it grows with them up to `max-h-*` of `className`. */
export function TextArea({ label, isLabelHidden, hint, error, aside, className, ...rest }: TextAreaProps) {
  const id = useId();
  const frame = { label, isLabelHidden, hint, error, aside };
  return (
    <FieldFrame id={id} {...frame}>
      <textarea
        rows={3}
        {...rest}
        id={id}
        aria-invalid={error !== undefined || undefined}
        aria-describedby={describedBy(id, frame)}
        className={cx(control, 'field-sizing-content resize-y py-2', className)}
      />
    </FieldFrame>
  );
}
