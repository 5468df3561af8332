import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { LifeBuoy } from 'lucide-react';
import { useState } from 'react';
import { resetRequestsQuery } from '../../api/admin.ts';
import { request } from '../../api/request.ts';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { EmptyState, ErrorState, SkeletonRows } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { accountsMessages } from './accounts-messages.ts';
import { LinkDialog } from './link-dialog.tsx';

export interface ResetLink {
  readonly url: string;
  readonly expires_at: string;
}

/** Makes the link with which one person sets a new password. */
export async function makeResetLink(accountId: number): Promise<ResetLink> {
  const path = `/api/admin/accounts/${accountId}/reset-link`;
  return (await request<{ data: ResetLink }>(path, { method: 'POST', body: {} })).data;
}

/** Who forgot their password on a server without a mail server. */
export function ResetRequests() {
  const t = useMessages(accountsMessages);
  const { relative, dateTime } = useFormats();
  const client = useQueryClient();
  const requests = useQuery(resetRequestsQuery);
  const [link, setLink] = useState<ResetLink>();
  const refresh = (): Promise<void> => client.invalidateQueries({ queryKey: resetRequestsQuery.queryKey });
  const onError = (error: Error): void => showToast(error.message, 'danger');
  const make = useMutation({ mutationFn: makeResetLink, onSuccess: setLink, onError, onSettled: refresh });
  const dismiss = useMutation({
    mutationFn: (accountId: number) =>
      request(`/api/admin/reset-requests/${accountId}`, { method: 'DELETE' }),
    onError,
    onSettled: refresh,
  });
  return (
    <div className="pt-4">
      <Card isFlush>
        {requests.isError ? (
          <ErrorState error={requests.error} onRetry={() => void requests.refetch()} />
        ) : requests.data === undefined ? (
          <SkeletonRows count={2} />
        ) : requests.data.length === 0 ? (
          <EmptyState
            icon={<LifeBuoy size={18} aria-hidden />}
            title={t('resetsNone')}
            description={t('resetsNoneText')}
          />
        ) : (
          <ul className="divide-y divide-line">
            {requests.data.map((each) => (
              <li key={each.account_id} className="flex flex-wrap items-center gap-3 px-4 py-2.5 text-sm">
                <span className="min-w-0 flex-1 truncate font-medium max-sm:basis-full">{each.email}</span>
                <span className="text-xs text-faint">
                  {t('asked', { when: relative(each.requested_at) })}
                </span>
                <Button size="sm" isBusy={make.isPending} onClick={() => make.mutate(each.account_id)}>
                  {t('makeLink')}
                </Button>
                <Button size="sm" variant="ghost" onClick={() => dismiss.mutate(each.account_id)}>
                  {t('dismiss')}
                </Button>
              </li>
            ))}
          </ul>
        )}
      </Card>
      {link !== undefined && (
        <LinkDialog
          title={t('resetLink')}
          text={t('resetLinkText', { when: dateTime(link.expires_at) })}
          url={link.url}
          onClose={() => setLink(undefined)}
        />
      )}
    </div>
  );
}
