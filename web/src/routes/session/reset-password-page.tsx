import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useSession } from '../../api/session.ts';
import { Button } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { PasswordField } from '../../components/password-field.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { SessionForm } from './session-form.tsx';
import { sessionMessages } from './session-messages.ts';
import { useSessionAction } from './use-session-action.ts';

/** Where a reset link leads (`?token=`). */
export function ResetPasswordPage() {
  const t = useMessages(sessionMessages);
  const { token } = useSearch({ from: '/guest/reset-password' });
  const navigate = useNavigate();
  const server = useSession()?.server;
  const [password, setPassword] = useState('');
  const reset = useSessionAction<{ token: string; password: string }>({
    action: 'reset-password',
    onDone: () => void navigate({ to: '/sign-in', search: { done: 'reset' } }),
  });
  const failure = reset.errorBesides('password');
  return (
    <SessionForm
      title={t('resetTitle')}
      text={t('resetText')}
      onSubmit={() => token !== undefined && reset.send({ token, password })}
      footer={
        <Link to="/forgot-password" className="font-medium text-accent hover:underline">
          {t('forgotSend')}
        </Link>
      }
    >
      {token === undefined && <Notice tone="warning">{t('resetMissing')}</Notice>}
      {failure !== undefined && <Notice tone="danger">{failure.message}</Notice>}
      <PasswordField
        label={t('password')}
        name="password"
        autoComplete="new-password"
        autoFocus
        required
        disabled={token === undefined}
        hint={t('passwordHint', { count: server?.password_length_min ?? 8 })}
        value={password}
        error={reset.errorOf('password')}
        onChange={(event) => setPassword(event.target.value)}
      />
      <Button type="submit" variant="primary" size="lg" isBusy={reset.isBusy} disabled={token === undefined}>
        {t('resetSave')}
      </Button>
    </SessionForm>
  );
}
