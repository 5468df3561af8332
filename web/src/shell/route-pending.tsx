import { LoaderCircle } from 'lucide-react';
import { useMessages } from '../i18n/language-context.tsx';
import { shellMessages } from './shell-messages.ts';

/** While a view's script or data is on its way; the router shows it only when that takes a second. */
export function RoutePending() {
  const t = useMessages(shellMessages);
  return (
    <div
      role="status"
      aria-label={t('starting')}
      className="flex h-full min-h-60 items-center justify-center"
    >
      <LoaderCircle aria-hidden size={20} className="animate-spin text-faint" />
    </div>
  );
}
