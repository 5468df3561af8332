import { RotateCcw } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import type { Model } from '../../api/wire-types.ts';
import { IconButton } from '../../components/button.tsx';
import { TextArea, TextField } from '../../components/field.tsx';
import { Select } from '../../components/select.tsx';
import { Switch } from '../../components/switch.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { JsonEditor } from './json-editor.tsx';
import { ParameterField } from './parameter-field.tsx';
import { createSettings, type ParameterName, parameters, type Settings } from './settings.ts';
import { settingsMessages } from './settings-messages.ts';
import { StopField } from './stop-field.tsx';

interface SettingsPanelProps {
  readonly settings: Settings;
  readonly models: readonly Model[];
  onChange(change: Partial<Settings>): void;
}

const samplingNames: readonly ParameterName[] = [
  'temperature',
  'top_p',
  'max_completion_tokens',
  'presence_penalty',
  'frequency_penalty',
];

/** Everything that a request is made of besides its messages. */
export function SettingsPanel({ settings, models, onChange }: SettingsPanelProps) {
  const t = useMessages(settingsMessages);
  return (
    <div className="flex flex-col divide-y divide-line [&>section]:py-4 [&>section:first-child]:pt-1">
      <section className="flex flex-col gap-4">
        <Select
          label={t('model')}
          value={settings.model}
          options={modelOptions(models, settings.model)}
          onChange={(model) => onChange({ model })}
        />
        <TextArea
          label={t('system')}
          placeholder={t('systemPlaceholder')}
          rows={4}
          className="max-h-80 min-h-20"
          value={settings.systemPrompt}
          onChange={(event) => onChange({ systemPrompt: event.target.value })}
        />
      </section>
      <Section
        title={t('sampling')}
        aside={
          <IconButton
            size="sm"
            label={t('reset')}
            onClick={() =>
              onChange({ parameters: createSettings('').parameters, stop: [], isDeterministic: false })
            }
          >
            <RotateCcw size={13} aria-hidden />
          </IconButton>
        }
      >
        <ParameterList names={samplingNames} settings={settings} onChange={onChange} />
      </Section>
      <Section title={t('output')}>
        <OutputSettings settings={settings} onChange={onChange} />
      </Section>
      <Section title={t('tools')}>
        <ToolSettings settings={settings} onChange={onChange} />
      </Section>
      <Section title={t('advanced')}>
        <StopField stops={settings.stop} onChange={(stop) => onChange({ stop })} />
        <ParameterList names={['n', 'seed', 'top_logprobs']} settings={settings} onChange={onChange} />
        <Switch
          label={t('deterministic')}
          hint={t('deterministicHint')}
          checked={settings.isDeterministic}
          onChange={(isDeterministic) => onChange({ isDeterministic })}
        />
      </Section>
    </div>
  );
}

/** A model of a saved conversation stays choosable when the server no longer has it: the server then says so. */
function modelOptions(models: readonly Model[], chosen: string) {
  const options = models.map(({ id, backing }) => ({ value: id, label: id, detail: backing.weights }));
  return options.some(({ value }) => value === chosen)
    ? options
    : [...options, { value: chosen, label: chosen }];
}

function Section({
  title,
  aside,
  children,
}: {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <section className="flex flex-col gap-4">
      <header className="flex h-5 items-center justify-between">
        <h3 className="text-xs font-semibold text-muted">{title}</h3>
        {aside}
      </header>
      {children}
    </section>
  );
}

type PartProps = Omit<SettingsPanelProps, 'models'>;

function ParameterList({
  names,
  settings,
  onChange,
}: PartProps & { readonly names: readonly ParameterName[] }) {
  const change = (name: ParameterName, value: number | undefined): void => {
    const { [name]: _replaced, ...rest } = settings.parameters;
    onChange({ parameters: value === undefined ? rest : { ...rest, [name]: value } });
  };
  return parameters
    .filter(({ name }) => names.includes(name))
    .map((parameter) => (
      <ParameterField
        key={parameter.name}
        parameter={parameter}
        value={settings.parameters[parameter.name]}
        onChange={(value) => change(parameter.name, value)}
      />
    ));
}

function OutputSettings({ settings, onChange }: PartProps) {
  const t = useMessages(settingsMessages);
  const fault = useSchemaFault(settings.format === 'json_schema' ? settings.schemaText : undefined);
  return (
    <>
      <Select
        label={t('format')}
        value={settings.format}
        options={[
          { value: 'text', label: t('formatText') },
          { value: 'json_object', label: t('formatObject'), detail: t('formatObjectHint') },
          { value: 'json_schema', label: t('formatSchema') },
        ]}
        onChange={(format) => onChange({ format })}
      />
      {settings.format === 'json_schema' && (
        <>
          <TextField
            label={t('schemaName')}
            value={settings.schemaName}
            className="font-mono text-xs"
            onChange={(event) => onChange({ schemaName: event.target.value })}
          />
          <JsonEditor
            label={t('schema')}
            hint={t('schemaHint')}
            text={settings.schemaText}
            fault={fault}
            onChange={(schemaText) => onChange({ schemaText })}
          />
        </>
      )}
    </>
  );
}

/** The validator is loaded with the first schema that is edited. */
function useSchemaFault(text: string | undefined): string | undefined {
  const t = useMessages(settingsMessages);
  const [fault, setFault] = useState<string>();
  useEffect(() => {
    if (text === undefined) return undefined;
    let isCurrent = true;
    import('./validate-json.ts').then(
      ({ findSchemaFault }) => isCurrent && setFault(findSchemaFault(text, t('schemaObject'))),
      // The server judges the schema in any case.
      () => undefined,
    );
    return () => {
      isCurrent = false;
    };
  }, [text, t]);
  return text === undefined ? undefined : fault;
}

function ToolSettings({ settings, onChange }: PartProps) {
  const t = useMessages(settingsMessages);
  return (
    <>
      <Switch
        label={t('webSearch')}
        hint={t('webSearchHint')}
        checked={settings.isWebSearchOn}
        onChange={(isWebSearchOn) => onChange({ isWebSearchOn })}
      />
      <Switch
        label={t('toolsOn')}
        hint={t('toolsOnHint')}
        checked={settings.areToolsOn}
        onChange={(areToolsOn) => onChange({ areToolsOn })}
      />
      {settings.areToolsOn && (
        <JsonEditor
          label={t('toolsText')}
          hint={t('toolsHint')}
          text={settings.toolsText}
          fault={findListFault(settings.toolsText, t('toolsList'))}
          onChange={(toolsText) => onChange({ toolsText })}
        />
      )}
      {(settings.areToolsOn || settings.isWebSearchOn) && (
        <Select
          label={t('toolChoice')}
          value={settings.toolChoice}
          options={[
            { value: 'auto', label: t('toolAuto') },
            { value: 'required', label: t('toolRequired') },
            { value: 'none', label: t('toolNone') },
          ]}
          onChange={(toolChoice) => onChange({ toolChoice })}
        />
      )}
    </>
  );
}

function findListFault(text: string, expectedList: string): string | undefined {
  try {
    return Array.isArray(JSON.parse(text)) ? undefined : expectedList;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
