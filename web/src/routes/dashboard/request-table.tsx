import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import type { LoggedRequest } from '../../api/activity.ts';
import { Badge } from '../../components/badge.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { TimeCell } from '../../components/time-cell.tsx';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { requestMessages } from './request-messages.ts';
import { shortModelName } from './usage-series.ts';

/** A log of requests; a row opens its whole story. */
export function RequestTable({
  label,
  rows,
  maxHeight,
  footer,
}: {
  readonly label: string;
  readonly rows: readonly LoggedRequest[];
  readonly maxHeight?: string;
  readonly footer?: ReactNode;
}) {
  const navigate = useNavigate();
  return (
    <DataTable
      label={label}
      columns={useColumns()}
      rows={rows}
      rowKey={(row) => row.inference_id}
      onRowOpen={(row) =>
        void navigate({ to: '/requests/$inferenceId', params: { inferenceId: row.inference_id } })
      }
      maxHeight={maxHeight}
      footer={footer}
    />
  );
}

/** How a request ended, in a word. */
export function RequestStatus({ request }: { readonly request: LoggedRequest }) {
  const t = useMessages(requestMessages);
  if (request.status === 'failed') return <Badge tone="danger">{t('failed')}</Badge>;
  return request.client_left ? (
    <Badge tone="neutral">{t('left')}</Badge>
  ) : (
    <Badge tone="success">{t('succeeded')}</Badge>
  );
}

function KeyName({ apiKey: { name, prefix } }: { readonly apiKey: LoggedRequest['key'] }) {
  if (name === null) return <span className="font-mono text-xs">{prefix}…</span>;
  // A long name must not push the cost out of sight.
  return (
    <span className="block max-w-36 truncate" title={name}>
      {name}
    </span>
  );
}

function useColumns(): readonly Column<LoggedRequest>[] {
  const t = useMessages(requestMessages);
  const formats = useFormats();
  return useMemo(
    () => [
      {
        id: 'time',
        header: t('time'),
        width: '11rem',
        cell: (row) => <TimeCell time={row.created_at} />,
      },
      { id: 'status', header: t('status'), width: '7rem', cell: (row) => <RequestStatus request={row} /> },
      {
        id: 'model',
        header: t('model'),
        isHiddenOnPhone: true,
        cell: (row) => shortModelName(row.model),
      },
      {
        id: 'key',
        header: t('key'),
        isHiddenOnPhone: true,
        cell: (row) =>
          row.origin === 'playground' ? (
            <span className="text-muted">{t('playground')}</span>
          ) : (
            <KeyName apiKey={row.key} />
          ),
      },
      {
        id: 'input',
        header: t('input'),
        align: 'right',
        isHiddenOnPhone: true,
        cell: (row) => formats.count(row.tokens.input),
      },
      {
        id: 'cached',
        header: t('cached'),
        align: 'right',
        isHiddenOnPhone: true,
        cell: (row) => formats.count(row.tokens.cached),
      },
      {
        id: 'output',
        header: t('output'),
        align: 'right',
        isHiddenOnPhone: true,
        cell: (row) => formats.count(row.tokens.output),
      },
      {
        id: 'duration',
        header: t('duration'),
        align: 'right',
        isHiddenOnPhone: true,
        cell: (row) => formats.duration(row.duration_ms),
      },
      { id: 'cost', header: t('cost'), align: 'right', cell: (row) => formats.usdColumn(row.cost_usd) },
    ],
    [t, formats],
  );
}
