import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { type PriceFields, pricesKey } from '../../api/admin.ts';
import { request } from '../../api/request.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { TextField } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { showToast } from '../../components/toast.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { isAmount } from './is-amount.ts';
import { operationsMessages } from './operations-messages.ts';

const tokenFields = { input_usd: 'input', cached_input_usd: 'cached', output_usd: 'output' } as const;
const noPrice: PriceFields = { input_usd: 0, cached_input_usd: 0, output_usd: 0 };

/** Writes a new version of a model's price; fees that the server knows are edited beside it. */
export function PriceDialog({
  model,
  current = noPrice,
  onClose,
}: {
  readonly model: string;
  readonly current: PriceFields | undefined;
  onClose(): void;
}) {
  const t = useMessages(operationsMessages);
  const client = useQueryClient();
  const formId = useId();
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>(() =>
    Object.fromEntries(Object.entries(current).map(([field, value]) => [field, String(value)])),
  );
  const save = useMutation({
    mutationFn: () =>
      request(`/api/admin/prices/${model}`, {
        method: 'PUT',
        body: Object.fromEntries(Object.entries(texts).map(([field, text]) => [field, Number(text)])),
      }),
    onSuccess: async () => {
      onClose();
      showToast(t('saved'));
      await client.invalidateQueries({ queryKey: pricesKey });
    },
  });
  const isWrong = Object.values(texts).some((text) => !isAmount(text));
  return (
    <Dialog
      isOpen
      onOpenChange={onClose}
      title={t('setPriceTitle', { model })}
      description={t('setPriceText')}
      footer={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" form={formId} variant="primary" isBusy={save.isPending} disabled={isWrong}>
            {t('save')}
          </Button>
        </>
      }
    >
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
        {Object.entries(texts).map(([field, text]) => (
          <TextField
            key={field}
            label={labelOf(field, t)}
            hint={field in tokenFields ? t('perMillion') : t('fee')}
            error={isAmount(text) ? undefined : t('amountInvalid')}
            inputMode="decimal"
            required
            value={text}
            onChange={(event) => setTexts({ ...texts, [field]: event.target.value.trim() })}
          />
        ))}
      </form>
    </Dialog>
  );
}

function labelOf(field: string, t: (key: 'input' | 'cached' | 'output') => string): string {
  const known = Object.entries(tokenFields).find(([name]) => name === field)?.[1];
  if (known !== undefined) return t(known);
  const words = field.replace(/_usd$/, '').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
