import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { request } from '../../api/request.ts';
import { useSession } from '../../api/session.ts';
import { Button } from '../../components/button.tsx';
import { Checkbox } from '../../components/checkbox.tsx';
import { TextField } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { PasswordField } from '../../components/password-field.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { SessionForm } from './session-form.tsx';
import { sessionMessages } from './session-messages.ts';
import { useSessionAction } from './use-session-action.ts';

/** What the server calls the failures that it sends people back here with (`?error=`). */
const returnedErrors = {
  account_disabled: 'accountDisabled',
  account_awaits_approval: 'accountAwaits',
  sign_up_closed: 'signUpClosed',
  oidc_email_taken: 'oidcEmailTaken',
  oidc_failed: 'oidcFailed',
} as const;

const isReturnedError = (code: string | undefined): code is keyof typeof returnedErrors =>
  code !== undefined && Object.hasOwn(returnedErrors, code);

export function SignInPage() {
  const t = useMessages(sessionMessages);
  const { next = '/', error, done } = useSearch({ from: '/guest/sign-in' });
  const navigate = useNavigate();
  const server = useSession()?.server;
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [remember, setRemember] = useState(true);
  const signIn = useSessionAction<{ email: string; password: string; remember: boolean }>({
    action: 'sign-in',
    onDone: () => void navigate({ href: next }),
  });
  const failure = signIn.errorBesides('email', 'password');
  return (
    <SessionForm
      title={t('signInTitle')}
      text={t('signInText')}
      onSubmit={() => signIn.send({ email, password, remember })}
      footer={
        server?.sign_up_mode !== 'invite' && (
          <>
            {t('noAccount')}{' '}
            <Link to="/sign-up" className="font-medium text-accent hover:underline">
              {t('signUp')}
            </Link>
          </>
        )
      }
    >
      {done === 'reset' && failure === undefined && <Notice tone="success">{t('resetDone')}</Notice>}
      {isReturnedError(error) && <Notice tone="warning">{t(returnedErrors[error])}</Notice>}
      {failure !== undefined && <Notice tone="danger">{failure.message}</Notice>}
      {server?.oidc && <OidcButton name={server.oidc.name} next={next} />}
      <TextField
        label={t('email')}
        type="email"
        name="email"
        autoComplete="username"
        autoFocus
        required
        value={email}
        error={signIn.errorOf('email')}
        onChange={(event) => setEmail(event.target.value)}
      />
      <PasswordField
        label={t('password')}
        name="password"
        autoComplete="current-password"
        required
        value={password}
        error={signIn.errorOf('password')}
        onChange={(event) => setPassword(event.target.value)}
        aside={
          <Link to="/forgot-password" className="text-xs text-accent hover:underline">
            {t('forgot')}
          </Link>
        }
      />
      <Checkbox label={t('remember')} checked={remember} onChange={setRemember} />
      <Button type="submit" variant="primary" size="lg" isBusy={signIn.isBusy}>
        {t('signIn')}
      </Button>
    </SessionForm>
  );
}

/** Leaves for the identity provider; its answer comes back to `next`. */
export function OidcButton({
  name,
  next,
  invite,
}: {
  readonly name: string;
  readonly next: string;
  readonly invite?: string | undefined;
}) {
  const t = useMessages(sessionMessages);
  const start = useMutation({
    mutationFn: () =>
      request<{ url: string }>('/api/auth/oidc', {
        method: 'POST',
        body: { return_to: `/app${next}`, ...(invite === undefined ? {} : { invite }) },
      }),
    onSuccess: ({ url }) => window.location.assign(url),
  });
  return (
    <>
      {start.error !== null && <Notice tone="danger">{start.error.message}</Notice>}
      <Button size="lg" isBusy={start.isPending} onClick={() => start.mutate()}>
        {t('signInWith', { name })}
      </Button>
      <div className="flex items-center gap-3 text-xs text-faint before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
        {t('or')}
      </div>
    </>
  );
}
