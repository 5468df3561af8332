import { WandSparkles } from 'lucide-react';
import { Button } from '../../components/button.tsx';
import { TextArea } from '../../components/field.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { settingsMessages } from './settings-messages.ts';
import { formatJson } from './tool-calls.tsx';

/** JSON as text: what is wrong with it is said while it is written. */
export function JsonEditor({
  label,
  hint,
  text,
  fault,
  onChange,
}: {
  readonly label: string;
  readonly hint: string;
  readonly text: string;
  readonly fault: string | undefined;
  onChange(text: string): void;
}) {
  const t = useMessages(settingsMessages);
  return (
    <TextArea
      label={label}
      hint={hint}
      error={fault}
      spellCheck={false}
      autoCapitalize="off"
      wrap="off"
      value={text}
      onChange={(event) => onChange(event.target.value)}
      className="max-h-96 min-h-32 overflow-auto font-mono !text-xs leading-5"
      aside={
        <Button
          size="sm"
          variant="ghost"
          className="-my-1 h-6"
          icon={<WandSparkles size={12} aria-hidden />}
          onClick={() => onChange(formatJson(text))}
        >
          {t('formatJson')}
        </Button>
      }
    />
  );
}
