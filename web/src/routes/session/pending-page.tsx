import { Link } from '@tanstack/react-router';
import { Notice } from '../../components/notice.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { SessionForm } from './session-form.tsx';
import { sessionMessages } from './session-messages.ts';

/** After a sign-up that an administrator has to approve. */
export function PendingPage() {
  const t = useMessages(sessionMessages);
  return (
    <SessionForm
      title={t('pendingTitle')}
      footer={
        <Link to="/sign-in" className="font-medium text-accent hover:underline">
          {t('backToSignIn')}
        </Link>
      }
    >
      <Notice tone="info">{t('pendingText')}</Notice>
    </SessionForm>
  );
}
