import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type ApiKey,
  changeKey,
  createKey,
  type KeySettings,
  keysKey,
  type LimitRetention,
} from '../../api/keys.ts';
import { AmountField } from '../../components/amount-field.tsx';
import { Checkbox } from '../../components/checkbox.tsx';
import { TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { Segments } from '../../components/segments.tsx';
import { Select } from '../../components/select.tsx';
import { showToast } from '../../components/toast.tsx';
import { isAmount } from '../../formats/is-amount.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import type { CreatedKey } from './created-key-dialog.tsx';
import { keysMessages } from './keys-messages.ts';

const endpointScopes = ['chat', 'web_search', 'caching', 'files'] as const;
type EndpointScope = (typeof endpointScopes)[number];

interface KeyForm {
  readonly name: string;
  /** US dollars as typed; empty = no limit. */
  readonly threshold: string;
  readonly retention: LimitRetention;
  readonly isNarrow: boolean;
  readonly scopes: ReadonlySet<string>;
}

const formOf = (key: ApiKey | undefined): KeyForm => ({
  name: key?.name ?? '',
  threshold: key?.limit === null || key?.limit === undefined ? '' : String(key.limit.threshold),
  retention: key?.limit?.retention ?? 'month',
  isNarrow: key !== undefined && key.scopes !== null,
  scopes: new Set(key?.scopes ?? endpointScopes),
});

const settingsOf = (form: KeyForm): KeySettings => ({
  name: form.name.trim() === '' ? null : form.name.trim(),
  limit: form.threshold === '' ? null : { retention: form.retention, threshold: Number(form.threshold) },
  scopes: form.isNarrow ? [...form.scopes] : null,
});

/** Makes a key, or changes one. */
export function KeyDialog({
  existing,
  onClose,
  onCreated,
}: {
  readonly existing: ApiKey | undefined;
  onClose(): void;
  onCreated(key: CreatedKey): void;
}) {
  const t = useMessages(keysMessages);
  const client = useQueryClient();
  const [form, setForm] = useState(() => formOf(existing));
  const save = useMutation({
    mutationFn: async () => {
      if (existing === undefined) return await createKey('regular', settingsOf(form));
      await changeKey('regular', existing.prefix, settingsOf(form));
      return undefined;
    },
    onSuccess: (created) => {
      void client.invalidateQueries({ queryKey: keysKey });
      if (created !== undefined) return onCreated({ kind: 'regular', secret: created.key });
      showToast(t('changed'));
      return onClose();
    },
  });
  const isLimitWrong = form.threshold !== '' && !isAmount(form.threshold);
  const isScopeMissing = form.isNarrow && form.scopes.size === 0;
  return (
    <FormDialog
      title={
        existing === undefined ? t('createTitle') : t('editTitle', { name: existing.name ?? existing.prefix })
      }
      action={existing === undefined ? t('create') : t('save')}
      save={save}
      failure={save.error?.message}
      isWrong={isLimitWrong || isScopeMissing}
      onClose={onClose}
    >
      <TextField
        label={t('name')}
        hint={t('nameHint')}
        maxLength={200}
        autoFocus
        value={form.name}
        onChange={(event) => setForm({ ...form, name: event.target.value })}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <AmountField
          label={t('limit')}
          hint={t('limitHint')}
          error={isLimitWrong ? t('limitInvalid') : undefined}
          placeholder={t('noLimit')}
          value={form.threshold}
          onChange={(threshold) => setForm({ ...form, threshold })}
        />
        <Select
          label={t('retention')}
          disabled={form.threshold === ''}
          value={form.retention}
          onChange={(retention) => setForm({ ...form, retention })}
          options={[
            { value: 'day', label: t('retentionDay') },
            { value: 'week', label: t('retentionWeek') },
            { value: 'month', label: t('retentionMonth') },
            { value: 'no_reset', label: t('retentionNever') },
          ]}
        />
      </div>
      <ScopeFields form={form} setForm={setForm} error={isScopeMissing ? t('scopesInvalid') : undefined} />
    </FormDialog>
  );
}

const scopeNames = {
  chat: 'scopeChat',
  web_search: 'scopeSearch',
  caching: 'scopeCaching',
  files: 'scopeFiles',
} as const satisfies Record<EndpointScope, string>;

function ScopeFields({
  form,
  setForm,
  error,
}: {
  readonly form: KeyForm;
  setForm(form: KeyForm): void;
  readonly error: string | undefined;
}) {
  const t = useMessages(keysMessages);
  const toggle = (scope: string, isChosen: boolean): void => {
    const scopes = new Set(form.scopes);
    if (isChosen) scopes.add(scope);
    else scopes.delete(scope);
    setForm({ ...form, scopes });
  };
  // Scopes for single models are set through the API; they are shown, and stay unless they are unticked.
  const others = [...form.scopes].filter((scope) => !endpointScopes.some((each) => each === scope));
  return (
    <div className="flex flex-col gap-2">
      <p className="text-sm font-medium">{t('scopes')}</p>
      <Segments
        label={t('scopes')}
        value={form.isNarrow ? 'some' : 'all'}
        options={[
          { value: 'all', label: t('scopesAll') },
          { value: 'some', label: t('scopesSome') },
        ]}
        onChange={(value) => setForm({ ...form, isNarrow: value === 'some' })}
      />
      {form.isNarrow && (
        <div className="grid gap-1.5 pt-1 sm:grid-cols-2">
          {endpointScopes.map((scope) => (
            <Checkbox
              key={scope}
              label={t(scopeNames[scope])}
              checked={form.scopes.has(scope)}
              onChange={(isChosen) => toggle(scope, isChosen)}
            />
          ))}
          {others.map((scope) => (
            <Checkbox key={scope} label={scope} checked onChange={() => toggle(scope, false)} />
          ))}
        </div>
      )}
      {error !== undefined && (
        <p role="alert" className="text-xs text-danger">
          {error}
        </p>
      )}
    </div>
  );
}
