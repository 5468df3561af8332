import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Laptop } from 'lucide-react';
import { request } from '../../api/request.ts';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { ErrorState, SkeletonRows } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { settingsMessages } from './settings-messages.ts';

interface DeviceSession {
  readonly id: string;
  readonly is_current: boolean;
  readonly last_active_at: string;
  readonly ip_address: string | null;
  readonly user_agent: string | null;
}

export const sessionsKey = ['sessions'] as const;

/** Where the person is signed in, and the way to end it there. */
export function SessionList() {
  const t = useMessages(settingsMessages);
  const client = useQueryClient();
  const sessions = useQuery({
    queryKey: sessionsKey,
    queryFn: async ({ signal }) =>
      (await request<{ data: readonly DeviceSession[] }>('/api/sessions', { signal })).data,
  });
  const revoke = useMutation({
    mutationFn: (id: string | undefined) =>
      request(id === undefined ? '/api/sessions' : `/api/sessions/${encodeURIComponent(id)}`, {
        method: 'DELETE',
      }),
    onSuccess: () => showToast(t('revoked')),
    onError: (error) => showToast(error.message, 'danger'),
    onSettled: () => client.invalidateQueries({ queryKey: sessionsKey }),
  });
  return (
    <Card
      title={t('sessions')}
      description={t('sessionsText')}
      isFlush
      actions={
        (sessions.data?.length ?? 0) > 1 && (
          <Button size="sm" isBusy={revoke.isPending} onClick={() => revoke.mutate(undefined)}>
            {t('signOutOthers')}
          </Button>
        )
      }
    >
      {sessions.isError ? (
        <ErrorState error={sessions.error} onRetry={() => void sessions.refetch()} />
      ) : sessions.data === undefined ? (
        <SkeletonRows count={2} className="h-14" />
      ) : (
        <ul className="divide-y divide-line">
          {sessions.data.map((session) => (
            <SessionRow key={session.id} session={session} onRevoke={() => revoke.mutate(session.id)} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function SessionRow({ session, onRevoke }: { readonly session: DeviceSession; onRevoke(): void }) {
  const t = useMessages(settingsMessages);
  const { relative } = useFormats();
  return (
    <li className="flex items-center gap-3 px-4 py-3">
      <Laptop size={18} aria-hidden className="shrink-0 text-faint" />
      <div className="min-w-0 flex-1">
        <p className="truncate text-sm">{describeAgent(session.user_agent) ?? t('unknownDevice')}</p>
        <p className="text-xs text-faint">
          {session.ip_address === null ? '' : `${session.ip_address} · `}
          {t('activeSince', { when: relative(session.last_active_at) })}
        </p>
      </div>
      {session.is_current ? (
        <Badge tone="accent">{t('thisDevice')}</Badge>
      ) : (
        <Button size="sm" onClick={onRevoke}>
          {t('revoke')}
        </Button>
      )}
    </li>
  );
}

const browsers = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const;
const systems = [
  ['Android', 'Android'],
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Windows', 'Windows'],
  ['Mac OS X', 'macOS'],
  ['Linux', 'Linux'],
] as const;

/** “Chrome, Linux” out of a browser's long signature; the signature itself when it is none. */
function describeAgent(agent: string | null): string | undefined {
  if (agent === null || agent === '') return undefined;
  // Every browser names the ones before it, so the most particular mark decides.
  const find = (marks: readonly (readonly [string, string])[]): string | undefined =>
    marks.find(([mark]) => agent.includes(mark))?.[1];
  const parts = [find(browsers), find(systems)].filter((part) => part !== undefined);
  return parts.length === 0 ? agent : parts.join(', ');
}
