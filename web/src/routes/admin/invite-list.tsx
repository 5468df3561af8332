import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Mail, Plus } from 'lucide-react';
import { useState } from 'react';
import { type Invite, invitesKey, invitesQuery } from '../../api/admin.ts';
import { request } from '../../api/request.ts';
import { AmountField } from '../../components/amount-field.tsx';
import { Badge, type Tone } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { EmptyState, ErrorState, SkeletonRows } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { isAmount } from '../../formats/is-amount.ts';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { accountsMessages } from './accounts-messages.ts';
import { LinkDialog } from './link-dialog.tsx';

const tones = {
  open: 'accent',
  used: 'success',
  expired: 'neutral',
  revoked: 'neutral',
} as const satisfies Record<Invite['state'], Tone>;

export function InviteList() {
  const t = useMessages(accountsMessages);
  const invites = useQuery(invitesQuery);
  const [isInviting, setIsInviting] = useState(false);
  const [url, setUrl] = useState<string>();
  const button = (
    <Button variant="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setIsInviting(true)}>
      {t('inviteCreate')}
    </Button>
  );
  return (
    <div className="flex flex-col gap-3 pt-4">
      <div className="flex justify-end">{button}</div>
      <Card isFlush>
        {invites.isError ? (
          <ErrorState error={invites.error} onRetry={() => void invites.refetch()} />
        ) : invites.data === undefined ? (
          <SkeletonRows count={3} />
        ) : invites.data.length === 0 ? (
          <EmptyState
            icon={<Mail size={18} aria-hidden />}
            title={t('inviteNone')}
            description={t('inviteNoneText')}
          />
        ) : (
          <InviteTable invites={invites.data} />
        )}
      </Card>
      {isInviting && (
        <InviteDialog
          onClose={() => setIsInviting(false)}
          onCreated={(link) => {
            setIsInviting(false);
            setUrl(link);
          }}
        />
      )}
      {url !== undefined && (
        <LinkDialog
          title={t('inviteLink')}
          text={t('inviteLinkText')}
          url={url}
          onClose={() => setUrl(undefined)}
        />
      )}
    </div>
  );
}

function InviteTable({ invites }: { readonly invites: readonly Invite[] }) {
  const t = useMessages(accountsMessages);
  const { usd, date } = useFormats();
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: (id: Invite['id']) => request(`/api/admin/invites/${id}`, { method: 'DELETE' }),
    onSuccess: () => showToast(t('changed')),
    onError: (error) => showToast(error.message, 'danger'),
    onSettled: () => client.invalidateQueries({ queryKey: invitesKey }),
  });
  return (
    <DataTable
      label={t('invites')}
      rows={invites}
      rowKey={({ id }) => String(id)}
      columns={[
        { id: 'email', header: t('email'), cell: (row) => row.email ?? t('inviteAnybody') },
        {
          id: 'state',
          header: t('state'),
          cell: (row) => <Badge tone={tones[row.state]}>{t(row.state)}</Badge>,
        },
        { id: 'note', header: t('note'), isHiddenOnPhone: true, cell: (row) => row.note ?? '' },
        { id: 'credit', header: t('inviteCredit'), align: 'right', cell: (row) => usd(row.credit_usd) },
        { id: 'expires', header: t('expires'), isHiddenOnPhone: true, cell: (row) => date(row.expires_at) },
        {
          id: 'revoke',
          header: '',
          align: 'right',
          cell: (row) =>
            row.state === 'open' && (
              <Button size="sm" onClick={() => revoke.mutate(row.id)}>
                {t('revoke')}
              </Button>
            ),
        },
      ]}
    />
  );
}

function InviteDialog({ onClose, onCreated }: { onClose(): void; onCreated(url: string): void }) {
  const t = useMessages(accountsMessages);
  const client = useQueryClient();
  const [form, setForm] = useState({ email: '', credit: '0', days: '7', note: '' });
  const create = useMutation({
    mutationFn: () =>
      request<{ data: { url: string } }>('/api/admin/invites', {
        method: 'POST',
        body: {
          credit_usd: Number(form.credit),
          expires_in_days: Number(form.days),
          ...(form.email === '' ? {} : { email: form.email }),
          ...(form.note === '' ? {} : { note: form.note }),
        },
      }),
    onSuccess: async ({ data }) => {
      onCreated(data.url);
      await client.invalidateQueries({ queryKey: invitesKey });
    },
  });
  const isCreditWrong = !isAmount(form.credit);
  return (
    <FormDialog
      title={t('inviteTitle')}
      description={t('inviteText')}
      action={t('inviteCreate')}
      save={create}
      failure={create.error?.message}
      isWrong={isCreditWrong}
      onClose={onClose}
    >
      <TextField
        label={t('email')}
        type="email"
        placeholder={t('inviteAnybody')}
        autoFocus
        value={form.email}
        onChange={(event) => setForm({ ...form, email: event.target.value })}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <AmountField
          label={t('inviteCredit')}
          required
          value={form.credit}
          error={isCreditWrong ? t('amountInvalid') : undefined}
          onChange={(credit) => setForm({ ...form, credit })}
        />
        <TextField
          label={t('inviteDays')}
          type="number"
          min={1}
          max={365}
          required
          value={form.days}
          onChange={(event) => setForm({ ...form, days: event.target.value })}
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
