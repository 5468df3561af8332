import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiFailure, failureOf } from '../../api/api-failure.ts';
import { request } from '../../api/request.ts';
import { useRefreshSession, useUser } from '../../api/session.ts';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { TextField } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { PasswordField } from '../../components/password-field.tsx';
import { showToast } from '../../components/toast.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { settingsMessages } from './settings-messages.ts';

/** Name and e-mail address; the address only with the password, because it is the way back in. */
export function ProfileForm() {
  const t = useMessages(settingsMessages);
  const user = useUser();
  const refreshSession = useRefreshSession();
  const [name, setName] = useState(user.name);
  const [email, setEmail] = useState(user.email);
  const [password, setPassword] = useState('');
  const isEmailChanged = email !== user.email;
  const save = useMutation({
    mutationFn: () =>
      request('/api/profile', {
        method: 'PATCH',
        body: { name, ...(isEmailChanged ? { email, current_password: password } : {}) },
      }),
    onSuccess: async () => {
      setPassword('');
      showToast(t('saved'));
      await refreshSession();
    },
  });
  const param = save.error instanceof ApiFailure ? save.error.param : undefined;
  const errorOf = (field: string): string | undefined => failureOf(save.error, field);
  return (
    <Card title={t('profile')} description={t('profileText', { number: String(user.account_id) })}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        {save.error !== null && param === undefined && <Notice tone="danger">{save.error.message}</Notice>}
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField
            label={t('name')}
            autoComplete="name"
            maxLength={200}
            value={name}
            error={errorOf('name')}
            onChange={(event) => setName(event.target.value)}
          />
          <TextField
            label={t('email')}
            type="email"
            autoComplete="username"
            required
            value={email}
            error={errorOf('email')}
            onChange={(event) => setEmail(event.target.value)}
          />
        </div>
        {isEmailChanged && user.has_password && (
          <PasswordField
            label={t('currentPassword')}
            hint={t('currentPasswordHint')}
            autoComplete="current-password"
            required
            value={password}
            error={errorOf('current_password')}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
        <div className="flex justify-end">
          <Button type="submit" isBusy={save.isPending} disabled={!isEmailChanged && name === user.name}>
            {t('save')}
          </Button>
        </div>
      </form>
    </Card>
  );
}
