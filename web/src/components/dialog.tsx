import { Dialog as Base } from '@base-ui/react/dialog';
import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useMessages } from '../i18n/language-context.tsx';
import { buttonClass } from './button.tsx';
import { componentMessages } from './component-messages.ts';
import { cx } from './cx.ts';

export interface DialogProps {
  readonly isOpen: boolean;
  onOpenChange(isOpen: boolean): void;
  readonly title: string;
  readonly description?: ReactNode;
  readonly children?: ReactNode;
  /** Buttons, the one that goes on last. */
  readonly footer?: ReactNode;
  readonly size?: 'sm' | 'md' | 'lg';
}

const widths = { sm: 'max-w-md', md: 'max-w-lg', lg: 'max-w-3xl' };

/** A question or a form over the page. Escape, the cross and a press outside close it; focus returns where it was. */
export function Dialog({
  isOpen,
  onOpenChange,
  title,
  description,
  children,
  footer,
  size = 'md',
}: DialogProps) {
  const t = useMessages(componentMessages);
  return (
    <Base.Root open={isOpen} onOpenChange={(open) => onOpenChange(open)}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 bg-[oklch(0_0_0/0.4)] transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0" />
        <Base.Viewport className="fixed inset-0 flex items-end justify-center p-0 sm:items-start sm:p-4 sm:pt-[12vh]">
          <Base.Popup
            className={cx(
              'flex max-h-[92dvh] w-full flex-col rounded-t-xl border border-line bg-raised shadow-lg sm:max-h-[80vh] sm:rounded-xl',
              'transition-[opacity,translate] duration-150 ease-out data-ending-style:translate-y-2 data-ending-style:opacity-0 data-starting-style:translate-y-2 data-starting-style:opacity-0',
              widths[size],
            )}
          >
            <header className="flex items-start gap-3 px-5 pt-4">
              <div className="min-w-0 flex-1">
                <Base.Title className="text-lg font-semibold">{title}</Base.Title>
                {description !== undefined && (
                  <Base.Description render={<div />} className="mt-1 text-sm text-muted">
                    {description}
                  </Base.Description>
                )}
              </div>
              <Base.Close aria-label={t('close')} className={cx(buttonClass('ghost', 'sm', true), '-mr-1')}>
                <X size={16} aria-hidden />
              </Base.Close>
            </header>
            <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4">{children}</div>
            {footer !== undefined && (
              <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">
                {footer}
              </footer>
            )}
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  );
}
