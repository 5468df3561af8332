import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { request } from '../../api/request.ts';
import { useSession } from '../../api/session.ts';
import { Button } from '../../components/button.tsx';
import { TextField } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { PasswordField } from '../../components/password-field.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { SessionForm } from './session-form.tsx';
import { sessionMessages } from './session-messages.ts';
import { OidcButton } from './sign-in-page.tsx';
import { useSessionAction } from './use-session-action.ts';

interface Invite {
  readonly email: string | null;
  readonly credit_usd: number;
  readonly expires_at: string;
}

interface SignUpBody {
  readonly email: string;
  readonly password: string;
  readonly name?: string;
  readonly invite?: string;
}

/** A new account, by oneself or by an invite link (`?invite=`). */
export function SignUpPage() {
  const t = useMessages(sessionMessages);
  const { invite } = useSearch({ from: '/guest/sign-up' });
  const server = useSession()?.server;
  const invitation = useQuery({
    queryKey: ['invite', invite],
    queryFn: () => request<Invite>(`/api/invites/${encodeURIComponent(invite ?? '')}`),
    enabled: invite !== undefined,
    retry: false,
  });
  const isClosed = server?.sign_up_mode === 'invite' && (invite === undefined || invitation.isError);
  return (
    <SignUpForm key={invitation.data?.email} invite={invite} invitation={invitation.data} isClosed={isClosed}>
      {invitation.isError && <Notice tone="warning">{t('inviteGone')}</Notice>}
      {isClosed && invite === undefined && <Notice tone="info">{t('signUpClosed')}</Notice>}
      {server?.sign_up_mode === 'approval' && invite === undefined && (
        <Notice tone="info">{t('signUpApproval')}</Notice>
      )}
    </SignUpForm>
  );
}

interface SignUpFormProps {
  readonly invite: string | undefined;
  readonly invitation: Invite | undefined;
  readonly isClosed: boolean;
  readonly children: React.ReactNode;
}

function SignUpForm({ invite, invitation, isClosed, children }: SignUpFormProps) {
  const t = useMessages(sessionMessages);
  const { usd } = useFormats();
  const navigate = useNavigate();
  const server = useSession()?.server;
  const [email, setEmail] = useState(invitation?.email ?? '');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const signUp = useSessionAction<SignUpBody>({
    action: 'sign-up',
    onDone: (state) => void navigate({ to: state === 'awaits_approval' ? '/pending' : '/' }),
  });
  const failure = signUp.errorBesides('email', 'name', 'password');
  const credit = invitation?.credit_usd ?? 0;
  return (
    <SessionForm
      title={invitation === undefined ? t('signUpTitle') : t('inviteTitle')}
      text={credit > 0 ? t('inviteCredit', { amount: usd(credit) }) : t('signUpText')}
      onSubmit={() =>
        signUp.send({
          email,
          password,
          ...(name.trim() === '' ? {} : { name: name.trim() }),
          ...(invite === undefined ? {} : { invite }),
        })
      }
      footer={
        <>
          {t('haveAccount')}{' '}
          <Link to="/sign-in" className="font-medium text-accent hover:underline">
            {t('signIn')}
          </Link>
        </>
      }
    >
      {children}
      {failure !== undefined && <Notice tone="danger">{failure.message}</Notice>}
      {!isClosed && (
        <>
          {server?.oidc && <OidcButton name={server.oidc.name} next="/" invite={invite} />}
          <TextField
            label={t('email')}
            type="email"
            name="email"
            autoComplete="email"
            autoFocus
            required
            value={email}
            readOnly={invitation !== undefined && invitation.email !== null}
            error={signUp.errorOf('email')}
            onChange={(event) => setEmail(event.target.value)}
          />
          <TextField
            label={t('name')}
            name="name"
            autoComplete="name"
            hint={t('nameHint')}
            value={name}
            error={signUp.errorOf('name')}
            onChange={(event) => setName(event.target.value)}
          />
          <PasswordField
            label={t('password')}
            name="password"
            autoComplete="new-password"
            required
            hint={t('passwordHint', { count: server?.password_length_min ?? 8 })}
            value={password}
            error={signUp.errorOf('password')}
            onChange={(event) => setPassword(event.target.value)}
          />
          <Button type="submit" variant="primary" size="lg" isBusy={signUp.isBusy}>
            {t('signUp')}
          </Button>
        </>
      )}
    </SessionForm>
  );
}
