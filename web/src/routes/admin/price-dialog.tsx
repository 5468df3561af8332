import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type PriceFields, pricesKey } from '../../api/admin.ts';
import { request } from '../../api/request.ts';
import { AmountField } from '../../components/amount-field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { showToast } from '../../components/toast.tsx';
import { isAmount } from '../../formats/is-amount.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { operationsMessages } from './operations-messages.ts';

const fields = [
  ['input_usd', 'input', 'perMillion'],
  ['cached_input_usd', 'cached', 'perMillion'],
  ['output_usd', 'output', 'perMillion'],
  ['object_cached_input_usd', 'objectCached', 'perMillion'],
  ['cache_creation_usd', 'cacheCreation', 'perMillion'],
  ['cache_storage_usd', 'cacheStorage', 'perMillionMinutes'],
  ['cache_hit_usd', 'cacheHit', 'perUse'],
  ['web_search_usd', 'webSearch', 'perUse'],
] as const satisfies readonly (readonly [keyof PriceFields, string, string])[];

const noPrice: PriceFields = {
  input_usd: 0,
  cached_input_usd: 0,
  object_cached_input_usd: 0,
  output_usd: 0,
  web_search_usd: 0,
  cache_hit_usd: 0,
  cache_creation_usd: 0,
  cache_storage_usd: 0,
};

/** Writes a new version of a model's price. */
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
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>(() =>
    Object.fromEntries(fields.map(([field]) => [field, writeDecimal(current[field])])),
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
    <FormDialog
      title={t('setPriceTitle', { model })}
      description={t('setPriceText')}
      action={t('save')}
      save={save}
      failure={save.error?.message}
      isWrong={isWrong}
      onClose={onClose}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        {fields.map(([field, label, unit]) => (
          <AmountField
            key={field}
            label={t(label)}
            hint={t(unit)}
            error={isAmount(texts[field] ?? '') ? undefined : t('amountInvalid')}
            required
            value={texts[field] ?? ''}
            onChange={(text) => setTexts({ ...texts, [field]: text })}
          />
        ))}
      </div>
    </FormDialog>
  );
}

/** A small number as people write it: `String` makes `2e-7` of it. */
const writeDecimal = (value: number): string =>
  value.toLocaleString('en-US', { useGrouping: false, maximumFractionDigits: 9 });
