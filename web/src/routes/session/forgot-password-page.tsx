import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from '../../components/button.tsx';
import { TextField } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { SessionForm } from './session-form.tsx';
import { sessionMessages } from './session-messages.ts';
import { useSessionAction } from './use-session-action.ts';

/** Asks for a reset link, by mail or through the administrators. The answer never says whether the account exists. */
export function ForgotPasswordPage() {
  const t = useMessages(sessionMessages);
  const [email, setEmail] = useState('');
  const [sentState, setSentState] = useState<string>();
  const forgot = useSessionAction<{ email: string }>({ action: 'forgot-password', onDone: setSentState });
  const failure = forgot.errorBesides('email');
  return (
    <SessionForm
      title={t('forgotTitle')}
      text={t('forgotText')}
      onSubmit={() => forgot.send({ email })}
      footer={
        <Link to="/sign-in" className="font-medium text-accent hover:underline">
          {t('backToSignIn')}
        </Link>
      }
    >
      {sentState === undefined ? (
        <>
          {failure !== undefined && <Notice tone="danger">{failure.message}</Notice>}
          <TextField
            label={t('email')}
            type="email"
            name="email"
            autoComplete="username"
            autoFocus
            required
            value={email}
            error={forgot.errorOf('email')}
            onChange={(event) => setEmail(event.target.value)}
          />
          <Button type="submit" variant="primary" size="lg" isBusy={forgot.isBusy}>
            {t('forgotSend')}
          </Button>
        </>
      ) : (
        <Notice tone="success">
          {sentState === 'mailed' ? t('forgotMailed') : t('forgotAdministrator')}
        </Notice>
      )}
    </SessionForm>
  );
}
