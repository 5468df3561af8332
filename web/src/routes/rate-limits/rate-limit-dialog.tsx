import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import {
  changeRateLimits,
  type RateLimitField,
  type RateLimits,
  rateLimitFields,
  rateLimitsQuery,
} from '../../api/rate-limits.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { TextField } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { ErrorState, SkeletonRows } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { parseLimit } from './parse-limit.ts';
import { rateLimitsMessages } from './rate-limits-messages.ts';

interface RateLimitDialogProps {
  readonly title: string;
  /** Where the limits are: a key's, an account's, or everybody's. */
  readonly path: string;
  onClose(): void;
}

/** Sets the four limits of one level. */
export function RateLimitDialog({ title, path, onClose }: RateLimitDialogProps) {
  const t = useMessages(rateLimitsMessages);
  const formId = useId();
  const limits = useQuery(rateLimitsQuery(path));
  const [isBusy, setIsBusy] = useState(false);
  return (
    <Dialog
      isOpen
      onOpenChange={onClose}
      title={title}
      description={t('text')}
      footer={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button
            type="submit"
            form={formId}
            variant="primary"
            isBusy={isBusy}
            disabled={limits.data === undefined}
          >
            {t('save')}
          </Button>
        </>
      }
    >
      {limits.isError ? (
        <ErrorState error={limits.error} onRetry={() => void limits.refetch()} />
      ) : limits.data === undefined ? (
        <SkeletonRows count={2} className="h-16" />
      ) : (
        <LimitForm formId={formId} path={path} limits={limits.data} onBusy={setIsBusy} onClose={onClose} />
      )}
    </Dialog>
  );
}

type LimitTexts = Readonly<Record<RateLimitField, string>>;

const mapFields = <Value,>(
  make: (field: RateLimitField) => Value,
): Readonly<Record<RateLimitField, Value>> => ({
  requests_per_minute: make('requests_per_minute'),
  tokens_per_minute: make('tokens_per_minute'),
  tokens_per_day: make('tokens_per_day'),
  concurrency: make('concurrency'),
});

function LimitForm({
  formId,
  path,
  limits,
  onBusy,
  onClose,
}: {
  readonly formId: string;
  readonly path: string;
  readonly limits: RateLimits;
  onBusy(isBusy: boolean): void;
  onClose(): void;
}) {
  const t = useMessages(rateLimitsMessages);
  const client = useQueryClient();
  const [texts, setTexts] = useState<LimitTexts>(() => mapFields((field) => String(limits[field] ?? '')));
  const parsed = mapFields((field) => parseLimit(texts[field]));
  const isWrong = rateLimitFields.some((field) => parsed[field] === undefined);
  const save = useMutation({
    mutationFn: () =>
      changeRateLimits(
        path,
        mapFields((field) => parsed[field] ?? null),
      ),
    onMutate: () => onBusy(true),
    onSuccess: async () => {
      onClose();
      showToast(t('saved'));
      await client.invalidateQueries({ queryKey: rateLimitsQuery(path).queryKey });
    },
    onSettled: () => onBusy(false),
  });
  return (
    <form
      id={formId}
      className="grid gap-4 sm:grid-cols-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isWrong) save.mutate();
      }}
    >
      {save.error !== null && (
        <div className="sm:col-span-2">
          <Notice tone="danger">{save.error.message}</Notice>
        </div>
      )}
      {rateLimitFields.map((field) => (
        <TextField
          key={field}
          label={t(field)}
          placeholder={t('placeholder')}
          error={parsed[field] === undefined ? t('invalid') : undefined}
          value={texts[field]}
          onChange={(event) => setTexts({ ...texts, [field]: event.target.value })}
        />
      ))}
    </form>
  );
}
