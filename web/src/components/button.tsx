import { LoaderCircle } from 'lucide-react';
import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import { cx } from './cx.ts';
import { Tooltip } from './tooltip.tsx';

type Variant = 'primary' | 'secondary' | 'ghost' | 'danger';
type Size = 'sm' | 'md' | 'lg';

const variants: Readonly<Record<Variant, string>> = {
  primary: 'bg-accent-fill text-on-accent hover:not-disabled:bg-accent-hover shadow-sm',
  secondary:
    'border border-line-strong bg-surface text-text shadow-sm hover:not-disabled:bg-hover active:not-disabled:bg-active',
  ghost: 'text-muted hover:not-disabled:bg-hover hover:not-disabled:text-text active:not-disabled:bg-active',
  danger: 'bg-danger-fill text-on-accent hover:not-disabled:brightness-90 shadow-sm',
};
const sizes: Readonly<Record<Size, string>> = {
  sm: 'h-7 gap-1.5 text-xs',
  md: 'h-8 gap-1.5 text-sm',
  lg: 'h-10 gap-2 text-base',
};
const paddings: Readonly<Record<Size, string>> = { sm: 'px-2.5', md: 'px-3', lg: 'px-4' };
const squares: Readonly<Record<Size, string>> = { sm: 'w-7', md: 'w-8', lg: 'w-10' };

/** The look of a button for what is not one, such as a link. A square holds an icon and nothing else. */
export function buttonClass(variant: Variant = 'secondary', size: Size = 'md', isSquare = false): string {
  return cx(
    'inline-flex shrink-0 items-center justify-center rounded-md font-medium whitespace-nowrap select-none',
    'transition-colors duration-100 disabled:opacity-55 aria-disabled:opacity-55',
    variants[variant],
    sizes[size],
    (isSquare ? squares : paddings)[size],
  );
}

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly variant?: Variant;
  readonly size?: Size;
  /** An icon of 16 px before the text. */
  readonly icon?: ReactNode;
  /** Work is under way: the button spins and cannot be pressed again; its width stays. */
  readonly isBusy?: boolean;
  readonly ref?: Ref<HTMLButtonElement>;
}

export function Button({ variant, size, icon, isBusy = false, className, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled === true || isBusy}
      aria-busy={isBusy || undefined}
      className={cx(buttonClass(variant, size), className)}
    >
      {isBusy ? <LoaderCircle aria-hidden size={14} className="animate-spin" /> : icon}
      {children}
    </button>
  );
}

export interface IconButtonProps extends Omit<ButtonProps, 'icon' | 'children' | 'aria-label'> {
  /** What it does: read aloud, and shown on hover. */
  readonly label: string;
  readonly children: ReactNode;
  /** Shown behind the label, such as `⌘K`. */
  readonly shortcut?: string;
}

/** A square button with nothing but an icon. */
export function IconButton({
  label,
  shortcut,
  variant = 'ghost',
  size = 'md',
  className,
  children,
  ...rest
}: IconButtonProps) {
  return (
    <Tooltip text={label} shortcut={shortcut}>
      <button
        type="button"
        {...rest}
        aria-label={label}
        className={cx(buttonClass(variant, size, true), className)}
      >
        {children}
      </button>
    </Tooltip>
  );
}
