import { Link } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { buttonClass } from '../components/button.tsx';
import { EmptyState } from '../components/states.tsx';
import { useMessages } from '../i18n/language-context.tsx';
import { shellMessages } from './shell-messages.ts';

/** An address that leads nowhere, or that this person may not see. */
export function NotFoundView() {
  const t = useMessages(shellMessages);
  return (
    <>
      <h1 className="sr-only">{t('notFoundTitle')}</h1>
      <EmptyState
        icon={<Compass size={20} aria-hidden />}
        title={t('notFoundTitle')}
        description={t('notFoundText')}
        action={
          <Link to="/" className={buttonClass()}>
            {t('backHome')}
          </Link>
        }
      />
    </>
  );
}

/** The same where no frame is around it. */
export function RootNotFoundView() {
  return (
    <main>
      <NotFoundView />
    </main>
  );
}
