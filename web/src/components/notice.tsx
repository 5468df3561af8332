import { CircleAlert, CircleCheck, Info } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from './cx.ts';

const looks = {
  info: { className: 'bg-info-soft text-info', icon: Info },
  success: { className: 'bg-success-soft text-success', icon: CircleCheck },
  warning: { className: 'bg-warning-soft text-warning', icon: CircleAlert },
  danger: { className: 'bg-danger-soft text-danger', icon: CircleAlert },
} as const;

/** A message that stays. `danger` is read aloud at once. */
export function Notice({
  tone,
  children,
}: {
  readonly tone: keyof typeof looks;
  readonly children: ReactNode;
}) {
  const { className, icon: Icon } = looks[tone];
  return (
    <div
      role={tone === 'danger' ? 'alert' : 'status'}
      className={cx('flex items-start gap-2 rounded-md px-3 py-2 text-sm', className)}
    >
      <Icon size={16} aria-hidden className="mt-0.5 shrink-0" />
      <div className="min-w-0">{children}</div>
    </div>
  );
}
