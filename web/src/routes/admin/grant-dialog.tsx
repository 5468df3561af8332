import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type AdminAccount, accountsKey } from '../../api/admin.ts';
import { request } from '../../api/request.ts';
import { useRefreshSession } from '../../api/session.ts';
import { AmountField } from '../../components/amount-field.tsx';
import { TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { Segments } from '../../components/segments.tsx';
import { showToast } from '../../components/toast.tsx';
import { isAmount } from '../../formats/is-amount.ts';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { accountsMessages } from './accounts-messages.ts';

const kinds = ['BONUS', 'PAYMENT', 'ADJUSTMENT'] as const;

/** Books credit. The dialog has one key for its booking, so that a second press books nothing. */
export function GrantDialog({ account, onClose }: { readonly account: AdminAccount; onClose(): void }) {
  const t = useMessages(accountsMessages);
  const client = useQueryClient();
  const refreshSession = useRefreshSession();
  const { usd } = useFormats();
  const [onceKey] = useState(() => crypto.getRandomValues(new Uint32Array(4)).join('-'));
  const [form, setForm] = useState<{ amount: string; type: (typeof kinds)[number]; note: string }>({
    amount: '',
    type: 'BONUS',
    note: '',
  });
  const grant = useMutation({
    mutationFn: () =>
      request<{ data: { balance_usd: number } }>(`/api/admin/accounts/${account.id}/grants`, {
        method: 'POST',
        body: {
          amount_usd: Number(form.amount),
          type: form.type,
          once_key: onceKey,
          ...(form.note === '' ? {} : { note: form.note }),
        },
      }),
    onSuccess: async ({ data }) => {
      onClose();
      showToast(t('granted', { balance: usd(data.balance_usd) }));
      await Promise.all([client.invalidateQueries({ queryKey: accountsKey }), refreshSession()]);
    },
  });
  const isWrong = form.amount !== '' && !isAmount(form.amount, { isSigned: form.type === 'ADJUSTMENT' });
  return (
    <FormDialog
      title={t('grantTitle', { email: account.email })}
      description={t('grantText')}
      action={t('grant')}
      save={grant}
      failure={grant.error?.message}
      isWrong={isWrong}
      onClose={onClose}
    >
      <AmountField
        label={t('amount')}
        autoFocus
        required
        value={form.amount}
        error={isWrong ? t('amountInvalid') : undefined}
        onChange={(amount) => setForm({ ...form, amount })}
      />
      <div className="flex flex-col gap-1.5">
        <p className="text-sm font-medium">{t('kind')}</p>
        <Segments
          label={t('kind')}
          value={form.type}
          options={kinds.map((value) => ({ value, label: t(value) }))}
          onChange={(type) => setForm({ ...form, type })}
        />
      </div>
      <TextField
        label={t('note')}
        maxLength={500}
        value={form.note}
        onChange={(event) => setForm({ ...form, note: event.target.value })}
      />
    </FormDialog>
  );
}
