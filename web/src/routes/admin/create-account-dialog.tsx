import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { accountsKey } from '../../api/admin.ts';
import { ApiFailure, failureOf } from '../../api/api-failure.ts';
import { request } from '../../api/request.ts';
import { AmountField } from '../../components/amount-field.tsx';
import { TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { PasswordField } from '../../components/password-field.tsx';
import { showToast } from '../../components/toast.tsx';
import { isAmount } from '../../formats/is-amount.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { accountsMessages } from './accounts-messages.ts';

export function CreateAccountDialog({ onClose }: { onClose(): void }) {
  const t = useMessages(accountsMessages);
  const client = useQueryClient();
  const [form, setForm] = useState({ email: '', name: '', password: '', credit: '' });
  const create = useMutation({
    mutationFn: () =>
      request('/api/admin/accounts', {
        method: 'POST',
        body: {
          email: form.email,
          password: form.password,
          ...(form.name === '' ? {} : { name: form.name }),
          ...(form.credit === '' ? {} : { credit_usd: Number(form.credit) }),
        },
      }),
    onSuccess: async () => {
      onClose();
      showToast(t('createdDone'));
      await client.invalidateQueries({ queryKey: accountsKey });
    },
  });
  const isCreditWrong = form.credit !== '' && !isAmount(form.credit);
  const param = create.error instanceof ApiFailure ? create.error.param : undefined;
  const errorOf = (field: string): string | undefined => failureOf(create.error, field);
  return (
    <FormDialog
      title={t('createTitle')}
      action={t('create')}
      save={create}
      failure={param === undefined ? create.error?.message : undefined}
      isWrong={isCreditWrong}
      onClose={onClose}
    >
      <TextField
        label={t('email')}
        type="email"
        required
        autoFocus
        autoComplete="off"
        value={form.email}
        error={errorOf('email')}
        onChange={(event) => setForm({ ...form, email: event.target.value })}
      />
      <TextField
        label={t('name')}
        autoComplete="off"
        value={form.name}
        error={errorOf('name')}
        onChange={(event) => setForm({ ...form, name: event.target.value })}
      />
      <PasswordField
        label={t('password')}
        hint={t('passwordHint')}
        required
        autoComplete="new-password"
        value={form.password}
        error={errorOf('password')}
        onChange={(event) => setForm({ ...form, password: event.target.value })}
      />
      <AmountField
        label={t('credit')}
        placeholder="0"
        value={form.credit}
        error={isCreditWrong ? t('amountInvalid') : errorOf('credit_usd')}
        onChange={(credit) => setForm({ ...form, credit })}
      />
    </FormDialog>
  );
}
