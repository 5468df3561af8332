/** Short notes that something happened elsewhere on the page. Errors of a form belong beside the form. */
import { CircleAlert, CircleCheck, X } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { useMessages } from '../i18n/language-context.tsx';
import { IconButton } from './button.tsx';
import { componentMessages } from './component-messages.ts';
import { cx } from './cx.ts';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'success' | 'danger';
}

const shownMs = 6_000;
const shownMax = 3;

let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Shows a note for six seconds; at most three at once, the newest last. */
export function showToast(text: string, tone: Toast['tone'] = 'success'): void {
  lastId += 1;
  const id = lastId;
  change([...toasts, { id, text, tone }].slice(-shownMax));
  setTimeout(() => dismiss(id), shownMs);
}

function dismiss(id: number): void {
  change(toasts.filter((toast) => toast.id !== id));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Where notes appear; once per page. It is there before the first note, or screen readers would not watch it. */
export function ToastRegion() {
  const t = useMessages(componentMessages);
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <section
      aria-label={t('notifications')}
      aria-live="polite"
      className="pointer-events-none fixed inset-x-4 bottom-4 z-50 flex flex-col items-end gap-2 sm:left-auto sm:w-96"
    >
      {shown.map((toast) => (
        <div
          key={toast.id}
          className="pointer-events-auto flex w-full items-start gap-2.5 rounded-lg border border-line bg-raised py-2 pr-1.5 pl-3 shadow-lg"
        >
          <span className={cx('mt-1.5', toast.tone === 'danger' ? 'text-danger' : 'text-success')}>
            {toast.tone === 'danger' ? (
              <CircleAlert size={16} aria-hidden />
            ) : (
              <CircleCheck size={16} aria-hidden />
            )}
          </span>
          <p className="min-w-0 flex-1 py-1 text-sm">{toast.text}</p>
          <IconButton label={t('dismiss')} size="sm" onClick={() => dismiss(toast.id)}>
            <X size={14} aria-hidden />
          </IconButton>
        </div>
      ))}
    </section>
  );
}
