import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiFailure, failureOf } from '../../api/api-failure.ts';
import { request } from '../../api/request.ts';
import { useSession, useUser } from '../../api/session.ts';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { Notice } from '../../components/notice.tsx';
import { PasswordField } from '../../components/password-field.tsx';
import { showToast } from '../../components/toast.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { sessionsKey } from './session-list.tsx';
import { settingsMessages } from './settings-messages.ts';

export function PasswordForm() {
  const t = useMessages(settingsMessages);
  const client = useQueryClient();
  const user = useUser();
  const lengthMin = useSession()?.server.password_length_min ?? 8;
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({
    mutationFn: () =>
      request('/api/auth/change-password', {
        method: 'POST',
        body: { current_password: current, new_password: next },
      }),
    onSuccess: async () => {
      setCurrent('');
      setNext('');
      showToast(t('passwordChanged'));
      await client.invalidateQueries({ queryKey: sessionsKey });
    },
  });
  const param = change.error instanceof ApiFailure ? change.error.param : undefined;
  const errorOf = (field: string): string | undefined => failureOf(change.error, field);
  // Somebody who signs in through a provider has no password here.
  if (!user.has_password) return null;
  return (
    <Card title={t('password')} description={t('passwordText')}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        {change.error !== null && param === undefined && (
          <Notice tone="danger">{change.error.message}</Notice>
        )}
        <input type="text" autoComplete="username" value={user.email} readOnly hidden />
        <div className="grid gap-4 sm:grid-cols-2">
          <PasswordField
            label={t('currentPassword')}
            autoComplete="current-password"
            required
            value={current}
            error={errorOf('current_password')}
            onChange={(event) => setCurrent(event.target.value)}
          />
          <PasswordField
            label={t('newPassword')}
            hint={t('newPasswordHint', { min: lengthMin })}
            autoComplete="new-password"
            required
            value={next}
            error={errorOf('new_password')}
            onChange={(event) => setNext(event.target.value)}
          />
        </div>
        <div className="flex justify-end">
          <Button type="submit" isBusy={change.isPending} disabled={current === '' || next === ''}>
            {t('changePassword')}
          </Button>
        </div>
      </form>
    </Card>
  );
}
